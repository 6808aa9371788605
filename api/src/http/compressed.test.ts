import { expect, test } from 'vitest'
import { encodingOf } from './compressed.ts'

test.each([
  ['', null], ['gzip', 'gzip'], ['br', 'br'], ['gzip, deflate, br', 'br'], ['gzip;q=1, br;q=0.5', 'gzip'], ['*', 'br'], ['br;q=0, *', 'gzip'], ['identity', null], ['identity;q=0.5, gzip;q=0.4', null],
  ['GZIP', 'gzip'], ['compress', null], ['gzip;q=0', null], ['gzip;q=x', null], ['zstd, gzip;q=0.8', 'gzip'],
])('Accept-Encoding: %s', (accepted, encoding) => {
  expect(encodingOf(accepted)).toBe(encoding)
})
