import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { addressOf, deviceWords, networkOf } from './place.ts'

test.each([
  ['203.0.113.77', '203.0.113.0/24'], ['::ffff:203.0.113.77', '203.0.113.0/24'], ['2001:db8:1:2::5', '2001:db8:1::/48'], ['::1', '0:0:0::/48'], ['local', 'local'],
])('network of %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/153.0.0.0 Safari/537.36', 'Chrome · Windows'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1', 'Safari · iOS'],
  ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36 MicroMessenger/8.0.50', 'WeChat · Android'],
  ['curl/8.0', '?'],
])('device of %s', (userAgent, words) => {
  expect(deviceWords(userAgent)).toBe(words)
})

test('an address that the caller made up is not believed', async () => {
  const app = new Hono().get('/:hops', (c) => c.text(addressOf(c, Number(c.req.param('hops')))))
  const ask = async (hops: number, forwarded: string) => (await app.request(`/${hops}`, { headers: { 'X-Forwarded-For': forwarded } })).text()
  expect(await ask(0, '198.51.100.1')).toBe('local')
  expect(await ask(1, '198.51.100.1, 203.0.113.9')).toBe('203.0.113.9')
  expect(await ask(2, '198.51.100.1, 203.0.113.9, 10.0.0.1')).toBe('203.0.113.9')
  expect(await ask(2, '')).toBe('local')
})
