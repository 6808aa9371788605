import { expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { secretFromText } from './platform-services.ts'

const production = { NODE_ENV: 'production', SIGNING_KEY_FILE: '/keys/signing.json', SECRETS_KEY_FILE: '/keys/secrets', PUBLIC_URL: 'https://health.example' }

test('production has no demo city, needs two factors of staff, and takes its secrets from files', () => {
  const config = readConfig(production)
  expect(config).toMatchObject({ production: true, seedCitizens: 0, staffSecondFactor: true, clockOffsetMs: 0 })
  expect(Object.isFrozen(config)).toBe(true)
})

test.each([
  ['a signing key', { SIGNING_KEY_FILE: '' }, /SIGNING_KEY_FILE must be given/],
  ['a key for secrets', { SECRETS_KEY_FILE: '' }, /SECRETS_KEY_FILE must be given/],
  ['its public address', { PUBLIC_URL: '' }, /PUBLIC_URL must be given/],
  ['the true time', { CLOCK_OFFSET_MINUTES: '60' }, /CLOCK_OFFSET_MINUTES is refused/],
  ['two factors of staff', { STAFF_SECOND_FACTOR: 'optional' }, /STAFF_SECOND_FACTOR/],
  ['encryption on the way', { PUBLIC_URL: 'http://health.example' }, /https/],
])('production does not start without %s', (_, given, fault) => {
  expect(() => readConfig({ ...production, ...given })).toThrow(fault)
})

test('all faults are told together', () => {
  expect(() => readConfig({ ...production, SIGNING_KEY_FILE: '', PORT: 'abc', STAFF_SECOND_FACTOR: 'maybe' })).toThrow(/PORT[\s\S]*STAFF_SECOND_FACTOR[\s\S]*SIGNING_KEY_FILE|SIGNING_KEY_FILE[\s\S]*PORT/)
})

test('a key that was typed and not made is refused', () => {
  const good = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 11) % 256)).toString('base64url')
  expect(secretFromText(`${good}\n`, 'file')).toHaveLength(32)
  for (const weak of ['', 'secret', Buffer.alloc(32).toString('base64url'), Buffer.from('passwordpasswordpasswordpassword').toString('base64url'), good.slice(0, 20)]) {
    expect(() => secretFromText(weak, 'file')).toThrow(/32 random bytes/)
  }
})
