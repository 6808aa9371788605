/** From where a request comes, in words that help a person to recognise their own device and identify no one. */
import type { Context } from 'hono'
import type { Place } from '../access/sessions.ts'

/**
 * Address of the caller: of the socket, or, behind `hops` proxies of our own, the entry that the outermost of them wrote. What a
 * caller writes into X-Forwarded-For stands further left and is never believed.
 */
export function addressOf(c: Context, hops: number): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } }
  const socket = incoming?.socket?.remoteAddress ?? 'local'
  if (hops === 0) return socket
  const forwarded = (c.req.header('X-Forwarded-For') ?? '').split(',').map((each) => each.trim()).filter((each) => each !== '')
  return forwarded.at(-hops) ?? socket
}

export function placeOf(c: Context, hops: number): Place {
  return { device: deviceWords(c.req.header('User-Agent') ?? ''), network: networkOf(addressOf(c, hops)) }
}

/** /24 of an IPv4 address, /48 of an IPv6 one. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/i, '')
  const v4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(plain)
  if (v4) return `${v4[1]}.0/24`
  if (!plain.includes(':')) return plain.slice(0, 40)
  const [head = ''] = plain.split('::')
  return `${[...head.split(':'), '0', '0', '0'].slice(0, 3).map((each) => each || '0').join(':')}::/48`
}

const browsers: readonly [RegExp, string][] = [
  [/MicroMessenger\//, 'WeChat'], [/Edg(e|A|iOS)?\//, 'Edge'], [/Firefox\//, 'Firefox'], [/(Chrome|CriOS)\//, 'Chrome'], [/Safari\//, 'Safari'],
]
const systems: readonly [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'], [/HarmonyOS/, 'HarmonyOS'], [/Android/, 'Android'], [/Windows/, 'Windows'], [/Mac OS X/, 'macOS'], [/Linux/, 'Linux'],
]

export function deviceWords(userAgent: string): string {
  const find = (table: readonly [RegExp, string][]) => table.find(([pattern]) => pattern.test(userAgent))?.[1]
  return [find(browsers), find(systems)].filter((each) => each !== undefined).join(' · ') || '?'
}
