/**
 * Ids of resources. A server id is a UUIDv7 (RFC 9562) whose 12 bits `rand_a` are the shard of the compartment owner, so
 * `shardOf(id)` needs no look-up. A client may choose any FHIR id ([A-Za-z0-9\-.]{1,64}); its key is then a UUIDv8 made
 * of SHA-256(id). Invariant: `keyOf` is total on valid FHIR ids and injective but for a 122-bit hash collision.
 */
import { hash, randomFillSync } from 'node:crypto'

export const shardCount = 4096
const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const fhirId = /^[A-Za-z0-9\-.]{1,64}$/

export function isFhirId(id: string): boolean {
  return fhirId.test(id)
}

/** A new server id: 48 bits of milliseconds, version 7, 12 bits of shard, variant, 62 random bits. */
export function newResourceId(shard: number | null): string {
  const random = randomPart()
  return uuid7(Date.now(), shard ?? random.readUInt16BE(8) % shardCount, random)
}

const partBytes = 10
const randomPool = Buffer.alloc(partBytes * 400)
let drawn = randomPool.length

/** Ten random bytes. They are drawn from the system many at a time: a call for each id costs more than all the rest of it. */
function randomPart(): Buffer {
  if (drawn === randomPool.length) {
    randomFillSync(randomPool)
    drawn = 0
  }
  drawn += partBytes
  return randomPool.subarray(drawn - partBytes, drawn)
}

/** The pure part of `newResourceId`; `random` gives 8 bytes. Seeds call it with their own clock and generator. */
export function uuid7(milliseconds: number, shard: number, random: Uint8Array): string {
  const hex = milliseconds.toString(16).padStart(12, '0')
  const tail = Buffer.from(random.subarray(0, 8)).toString('hex')
  const variant = ((Number.parseInt(tail[0] ?? '0', 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${shard.toString(16).padStart(3, '0')}-${variant}${tail.slice(1, 4)}-${tail.slice(4, 16)}`
}

/** The database key of a FHIR id: the id itself when it is a lower-case UUID, else a UUIDv8 of its hash. */
export function keyOf(id: string): string {
  if (canonicalUuid.test(id)) return id
  const known = hashed.get(id)
  if (known !== undefined) return known
  const digest = hash('sha256', id)
  const variant = ((Number.parseInt(digest[16] ?? '0', 16) & 0x3) | 0x8).toString(16)
  const key = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  if (hashed.size >= rememberedMax) hashed.clear()
  if (id.length <= idMax) hashed.set(id, key)
  return key
}

/** A caller's own ids are asked for many times a request, and hashing was a fifth of what the decision of access costs Node. */
const hashed = new Map<string, string>()
const rememberedMax = 10_000
const idMax = 64

/** Shard 0..4095 of a key: its `rand_a` bits for UUIDv7, else 12 bits of the key's tail. */
export function shardOf(key: string): number {
  return Number.parseInt(key[14] === '7' ? key.slice(15, 18) : key.slice(-3), 16)
}
