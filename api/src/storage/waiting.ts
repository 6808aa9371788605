/**
 * Who waits, for as long as the process lives. A Set would do, but one that lives long is costly: each time it makes room it leaves a table behind among the old
 * objects that still leads to all who waited then, and whatever they hold outlives every collection of young objects until the whole heap is collected
 * (measured: docs/decisions/0054-garbage-dies-young.md). Here places are used again.
 */
export class Waiting<T> {
  readonly #places: (T | null)[] = []
  readonly #free: number[] = []

  /** @returns where it stands, for `delete`, which must be called once. */
  add(who: T): number {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = who
    return place
  }

  delete(place: number): void {
    this.#places[place] = null
    this.#free.push(place)
  }

  /** Those who wait now. */
  all(): T[] { return this.#places.filter((who) => who !== null) }
}
