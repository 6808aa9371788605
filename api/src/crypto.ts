/**
 * The one place that hashes, signs and makes secrets. Passwords: argon2id with the parameters of RFC 9106's second
 * recommendation scaled to a sign-in server (19 MiB, 2 passes), stored as a PHC string. Tokens: ES256 by `jose`.
 */
import { argon2, createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair, type JWK } from 'jose'

const argon2Async = promisify(argon2)
const passwordCost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const
export const signingAlgorithm = 'ES256'

/** @returns `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export async function hashPassword(password: string, salt: Uint8Array = randomBytes(16)): Promise<string> {
  const { memory, passes, parallelism } = passwordCost
  const tag = await argon2Async('argon2id', { message: password.normalize('NFKC'), nonce: salt, ...passwordCost })
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}

/** False for a wrong password and for a string that is no PHC argon2id hash. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored)
  if (!match) return false
  const [, memory, passes, parallelism, salt = '', hash = ''] = match
  const expected = Buffer.from(hash, 'base64')
  const tag = await argon2Async('argon2id', {
    message: password.normalize('NFKC'), nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism), tagLength: expected.length,
  })
  return timingSafeEqual(Buffer.from(tag), expected)
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Value of the header Content-Digest (RFC 9530) for a body. */
export function contentDigest(body: string | Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/** A URL-safe secret of 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Equal, in a time that does not tell how far. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** HMAC-SHA-1, for one-time passwords only: RFC 6238 and every authenticator app use it. */
export function hmacSha1(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha1', key).update(data).digest()
}

/** Encrypts for storage: AES-256-GCM, bound to `owner` so that a sealed value does not open in another row. */
export function seal(key: Uint8Array, owner: string, plain: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(owner))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** @throws Error when it was sealed by another key, for another owner, or changed. */
export function unseal(key: Uint8Array, owner: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}

/** Random bytes, for secrets that other programs fix the shape of. */
export function randomSecret(bytes: number): Buffer {
  return randomBytes(bytes)
}

export interface SigningKey { kid: string; alg: string; privateJwk: JWK; publicJwk: JWK }

/** A new key pair; the key id is the thumbprint-like hash of its public part. */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
  const [privatePart, publicPart] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)])
  const kid = sha256Hex(`${publicPart.x}.${publicPart.y}`).slice(0, 16)
  const common = { kid, alg: signingAlgorithm, use: 'sig' }
  return { kid, alg: signingAlgorithm, privateJwk: { ...privatePart, ...common }, publicJwk: { ...publicPart, ...common } }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** A whole number from `min` to `max`, both possible, that nobody can foresee. */
export function randomWithin(min: number, max: number): number {
  return max <= min ? min : randomInt(min, max + 1)
}

/** No letters or digits that look alike on paper. */
const readable = 'abcdefghjkmnpqrstuvwxyz23456789'

/** A password to hand out: four groups of five, 99 bits. */
export function readablePassword(): string {
  return Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => readable[randomInt(readable.length)]).join('')).join('-')
}
