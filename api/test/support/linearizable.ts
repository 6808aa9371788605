/**
 * Was a recorded history possible one after another? Each operation took effect at some instant between its call and its answer: the
 * checker looks for an order that respects those spans and in which every answer is right (Wing and Gong, with the states it has
 * seen remembered). For the places of one segment: `take` gets a free place or is told that there is none, `give` frees one.
 */
export interface Recorded { called: number; answered: number; act: { take: number | null } | { give: number } }

export function isLinearizable(history: readonly Recorded[], capacity: number): boolean {
  const seen = new Set<string>()
  const done = new Set<number>()
  const taken = new Set<number>()

  function search(): boolean {
    if (done.size === history.length) return true
    const key = `${[...done].sort((a, b) => a - b).join(',')}|${[...taken].sort((a, b) => a - b).join(',')}`
    if (seen.has(key)) return false
    seen.add(key)
    const open = history.map((each, index) => ({ each, index })).filter(({ index }) => !done.has(index))
    // Nothing may be put after an operation that had answered before it was called.
    const earliest = Math.min(...open.map(({ each }) => each.answered))
    for (const { each, index } of open) {
      if (each.called > earliest) continue
      const undo = apply(each.act)
      if (undo === null) continue
      done.add(index)
      if (search()) return true
      done.delete(index)
      undo()
    }
    return false
  }

  /** Carries an operation out when its answer is right here. */
  function apply(act: Recorded['act']): (() => void) | null {
    if ('give' in act) {
      if (!taken.delete(act.give)) return null
      return () => taken.add(act.give)
    }
    const { take } = act
    if (take === null) return taken.size === capacity ? () => {} : null
    if (taken.has(take) || taken.size === capacity) return null
    taken.add(take)
    return () => taken.delete(take)
  }

  return search()
}
