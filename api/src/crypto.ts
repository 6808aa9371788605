/**
 * The one place that hashes, signs and makes secrets. Passwords: argon2id with the parameters of RFC 9106's second
 * recommendation scaled to a sign-in server (19 MiB, 2 passes), stored as a PHC string. Tokens: ES256 by `jose`.
 */
import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
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

/** A URL-safe secret of 256 bits. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
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
