/**
 * Was a recorded history possible one after another? Each operation took effect at some instant between its call and its answer: the
 * checker looks for an order that respects those spans and in which every answer is right (Wing and Gong, with the states it has
 * seen remembered). What is right says `step`: the state after an operation with that answer, null where the answer would be wrong.
 */
export interface Recorded<Operation> { called: number; answered: number; act: Operation }

/** @param step pure; states are compared by their JSON. */
export function isLinearizable<Operation, State>(history: readonly Recorded<Operation>[], initial: State, step: (state: State, act: Operation) => State | null): boolean {
  const seen = new Set<string>()
  const done = new Set<number>()

  function search(state: State): boolean {
    if (done.size === history.length) return true
    const key = `${[...done].sort((a, b) => a - b).join(',')}|${JSON.stringify(state)}`
    if (seen.has(key)) return false
    seen.add(key)
    const open = history.map((each, index) => ({ each, index })).filter(({ index }) => !done.has(index))
    // Nothing may be put after an operation that had answered before it was called.
    const earliest = Math.min(...open.map(({ each }) => each.answered))
    for (const { each, index } of open) {
      const next = each.called > earliest ? null : step(state, each.act)
      if (next === null) continue
      done.add(index)
      if (search(next)) return true
      done.delete(index)
    }
    return false
  }

  return search(initial)
}
