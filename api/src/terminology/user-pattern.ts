/** Regular expressions that users wrote: they may take for ever, so they are matched where they can be stopped, within a budget. */
import { runInNewContext } from 'node:vm'
import { monotonicMs } from '../ctx.ts'

/** Milliseconds left, counted down by what is matched. */
export interface MatchBudget { ms: number }

/** A text is matched as a whole. Null when it is no regular expression. */
export function compilePattern(source: string): RegExp | null {
  try {
    return new RegExp(`^(?:${source})$`, 'u')
  } catch {
    return null
  }
}

/** Whether a text of each list fits. Null when the budget does not suffice. */
export function matchAll(pattern: RegExp, texts: readonly (readonly string[])[], budget: MatchBudget): boolean[] | null {
  if (budget.ms <= 0) return null
  const began = monotonicMs()
  try {
    return runInNewContext('texts.map((list) => list.some((text) => pattern.test(text)))', { texts, pattern }, { timeout: Math.ceil(budget.ms) }) as boolean[]
  } catch {
    return null
  } finally {
    budget.ms -= monotonicMs() - began
  }
}
