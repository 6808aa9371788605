/** Regular expressions that users wrote: they may take for ever, so they are matched where they can be stopped, within a budget. */
import { createContext, Script } from 'node:vm'
import { monotonicMs } from '../ctx.ts'

/** Milliseconds left, counted down by what is matched. */
export interface MatchBudget { ms: number }

/** A text is matched as a whole. Null when it is no regular expression. */
export function compilePattern(source: string): RegExp | null {
  // Other dialects escape what this one does not let be escaped while it knows all of Unicode.
  for (const flags of ['u', '']) {
    try {
      return new RegExp(`^(?:${source})$`, flags)
    } catch {
    }
  }
  return null
}

/** Made once: a context takes a millisecond. Only the pattern and the texts of one call are ever in it. */
let place: { texts: unknown; pattern: unknown } | null = null
const matching = new Script('texts.map((list) => list.some((text) => pattern.test(text)))')

/** Whether a text of each list fits. Null when the budget does not suffice. */
export function matchAll(pattern: RegExp, texts: readonly (readonly string[])[], budget: MatchBudget): boolean[] | null {
  if (budget.ms <= 0) return null
  place ??= createContext({ texts: [], pattern: null }) as { texts: unknown; pattern: unknown }
  const began = monotonicMs()
  try {
    place.texts = texts
    place.pattern = pattern
    return matching.runInContext(place, { timeout: Math.ceil(budget.ms) }) as boolean[]
  } catch {
    return null
  } finally {
    place.texts = []
    place.pattern = null
    budget.ms -= monotonicMs() - began
  }
}
