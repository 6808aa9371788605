/**
 * Text in UTF-8. V8 walks a text with Chinese in it character by character, once for its length and once to encode it: 76 µs for an answer of 12 kB that takes 11 this way
 * (docs/decisions/0055-text-to-bytes.md).
 */
import { Buffer, transcode } from 'node:buffer'

/** What is no longer takes as long either way. */
export const shortMax = 1_500
/** Characters that the desk has room for. */
const deskMax = 512 * 1024

/** The text as it lies in memory, two bytes a character, until it is encoded: one for all, since memory outside the heap makes V8 collect the whole heap. */
const desk = Buffer.allocUnsafeSlow(2 * deskMax)

/** A half of a surrogate pair, which is no character, becomes U+FFFD. */
export function utf8(text: string): Buffer<ArrayBuffer> {
  if (text.length <= shortMax || text.length > deskMax) return Buffer.from(text)
  try {
    return transcode(desk.subarray(0, desk.write(text, 'utf16le')), 'utf16le', 'utf8') as Buffer<ArrayBuffer>
  } catch {
    // A half of a pair.
    return Buffer.from(text)
  }
}
