/**
 * Required bindings of profiles: one coding at least of a concept, the coding, the code or the unit is in the value set. What
 * cannot be told here, because nobody knows the set or it has no end, is not judged.
 */
import { isIn, setOf } from '../../terminology/value-sets.ts'
import { report, type Run } from '../validate.ts'
import * as say from '../validation-sentences.ts'
import { isJson } from './items.ts'

export function checkBinding(run: Run, value: unknown, type: string, valueSet: string): void {
  if (typeof value === 'string') {
    if (isMember(run, valueSet, null, value) === false) report(run, 'code-unknown', say.unknownCode(value, valueSet, null))
    return
  }
  if (!isJson(value)) return
  const codings = type === 'CodeableConcept' ? (Array.isArray(value.coding) ? value.coding : []).filter(isJson) : [value]
  if (codings.length === 0 && value.extension !== undefined) return
  const answers = codings.map(({ system, code }) => (typeof code === 'string' ? isMember(run, valueSet, typeof system === 'string' ? system : '', code) : false))
  if (answers.some((each) => each !== false) || (codings.length === 0 && isMember(run, valueSet, null, 'x') === null)) return
  const [only] = codings
  if (codings.length === 1 && typeof only?.code === 'string') report(run, 'code-unknown', say.unknownCode(only.code, valueSet, null))
  else report(run, 'code-unknown', say.noCodeOfSet(valueSet))
}

/** Of a built-in set, else of one that was loaded from the store; one that is in neither is asked for. */
export function isMember(run: Run, valueSet: string, system: string | null, code: string): boolean | null {
  const set = setOf(valueSet) ?? run.stored.valueSets.get(valueSet)
  if (set === undefined) run.wanted.valueSets.add(valueSet)
  return set ? isIn(set, system, code) : null
}
