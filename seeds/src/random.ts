/**
 * The generator's only source of chance: xoshiro128** seeded by hashing a label, so that every household, doctor and
 * session has a stream of its own. Invariant: what one stream draws never depends on how many others exist; that is why a
 * city grows without changing those who already live in it.
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (public domain).
 */
import { uuid7 } from '@pujiang/api/fhir/id.ts'

export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** Same label, same stream. */
  constructor(label: string) {
    let hash = 2166136261
    for (let index = 0; index < label.length; index++) hash = Math.imul(hash ^ label.charCodeAt(index), 16777619)
    const next = (): number => {
      hash = (hash + 0x9e3779b9) | 0
      let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
      return (mixed ^ (mixed >>> 16)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** 32 random bits. */
  bits(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotate(this.#d, 11)
    return result
  }

  /** In [0, 1). */
  unit(): number {
    return this.bits() / 4294967296
  }

  /** A whole number from low to high, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1))
  }

  between(low: number, high: number): number {
    return low + this.unit() * (high - low)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** Bell-shaped (sum of four uniforms), cut at about three and a half deviations: no lab value flies away. */
  normal(mean: number, deviation: number): number {
    const sum = this.unit() + this.unit() + this.unit() + this.unit() - 2
    return mean + sum * 1.7320508 * deviation
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.unit() * list.length)] as T
  }

  /** One of the entries, each as likely as its weight. */
  weighted<T>(entries: readonly (readonly [T, number])[]): T {
    let total = 0
    for (const entry of entries) total += entry[1]
    let left = this.unit() * total
    for (const [value, weight] of entries) {
      left -= weight
      if (left < 0) return value
    }
    return (entries.at(-1) as readonly [T, number])[0]
  }

  shuffle<T>(list: readonly T[]): T[] {
    const copy = [...list]
    for (let index = copy.length - 1; index > 0; index--) {
      const other = this.int(0, index)
      const held = copy[index] as T
      copy[index] = copy[other] as T
      copy[other] = held
    }
    return copy
  }

  /** A server id of that shard, as if made at `milliseconds` since 1970. */
  id(milliseconds: number, shard: number): string {
    const high = this.bits()
    const low = this.bits()
    const bytes = new Uint8Array(8)
    for (let index = 0; index < 4; index++) {
      bytes[index] = (high >>> (index * 8)) & 255
      bytes[index + 4] = (low >>> (index * 8)) & 255
    }
    return uuid7(milliseconds, shard, bytes)
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
