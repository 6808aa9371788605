/**
 * The name someone probably meant: for unknown elements, codes and search parameters. Edit distance with swapped
 * neighbours; nothing is suggested when more than a third of the word would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = word.toLowerCase().slice(0, 64)
  let best: string | null = null
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= least) continue
    const found = distance(wanted, candidate.toLowerCase())
    if (found >= least) continue
    least = found
    best = candidate
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function distance(left: string, right: string): number {
  let older: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const current = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1]
      let cost = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) cost = Math.min(cost, (older[j - 2] ?? 0) + 1)
      current.push(cost)
    }
    older = previous
    previous = current
  }
  return previous[right.length] ?? 0
}
