/**
 * Text in UTF-8. V8 walks a text with Chinese in it character by character, once for its length and once to encode it: 76 µs for an answer of 12 kB that takes 11 this way
 * (bench: docs/decisions/0055-text-to-bytes.md).
 */
import { Buffer, transcode } from 'node:buffer'

/** What is no longer takes as long either way. */
export const shortMax = 1_500

/** A half of a surrogate pair, which is no character, becomes U+FFFD. */
export function utf8(text: string): Buffer<ArrayBuffer> {
  if (text.length <= shortMax) return Buffer.from(text)
  try {
    return transcode(Buffer.from(text, 'utf16le'), 'utf16le', 'utf8') as Buffer<ArrayBuffer>
  } catch {
    // A half of a pair.
    return Buffer.from(text)
  }
}
