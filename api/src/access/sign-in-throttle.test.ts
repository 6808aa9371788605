import { expect, test } from 'vitest'
import { countersOf } from './sign-in-throttle.ts'

const stranger = countersOf({ login: 'wang', network: '203.0.113.0/24', device: null, knownDevice: false })
const owner = countersOf({ login: 'wang', network: '203.0.113.0/24', device: 'secret', knownDevice: true })

test('a browser known to the account shares no counter with anybody', () => {
  expect(stranger.map((each) => each.key)).not.toContain(owner[0]?.key)
  expect(owner).toHaveLength(1)
})

test('a device secret that the account never used counts as a stranger', () => {
  expect(countersOf({ login: 'wang', network: '203.0.113.0/24', device: 'stolen', knownDevice: false })).toEqual(stranger)
})
