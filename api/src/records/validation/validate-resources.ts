/**
 * Validation with what users have stored: profiles, extensions, value sets, questionnaires. A resource is validated with what is built in; only when it
 * names a definition that is not known is the store asked, for all resources of a request at once, and the resource validated again.
 * Definitions among the resources themselves count as stored, so that a bundle may bring a profile and what declares it.
 */
import type { FhirModel } from '../../fhir/model.ts'
import type { Issue } from '../../fhir/outcome.ts'
import type { Db } from '../../storage/pool.ts'
import { patternMs, validateResource, type ValidationOptions } from '../validate.ts'
import { foundIn, lookUp } from './look-up.ts'
import { nothingWanted, type Wanted } from './stored.ts'

/** A profile may be based on one that is based on another … */
const roundsMax = 8
/** Definitions of a kind that one request may need: profiles a round, value sets and questionnaires in all, because those are compiled for it. */
const most = { profiles: 200, valueSets: 50, questionnaires: 50 } as const

/** @returns the issues of each resource, in the order given. */
export async function validateResources(
  db: Db, model: FhirModel, resources: readonly unknown[], options: Omit<ValidationOptions, 'stored' | 'wanted' | 'patterns'> = {},
): Promise<Issue[][]> {
  const found = await foundIn(db, resources)
  const asked = nothingWanted()
  const issues: Issue[][] = []
  const patterns = { ms: patternMs }
  let pending = resources.map((_, index) => index)
  for (let round = 0; round < roundsMax && pending.length > 0; round++) {
    const open = nothingWanted()
    const again: number[] = []
    let wanted = nothingWanted()
    for (const index of pending) {
      issues[index] = validateResource(model, resources[index], { ...options, stored: found, wanted, patterns })
      if (isNothing(wanted)) continue
      if (addNew(wanted, asked, open)) again.push(index)
      wanted = nothingWanted()
    }
    for (const name of kinds) for (const each of open[name]) asked[name].add(each)
    pending = await lookUp(db, found, open, { resources, valid: resources.filter((_, index) => issues[index]?.length === 0) }) || found.profiles.size > 0 ? again : []
  }
  return issues
}

const kinds = ['profiles', 'valueSets', 'questionnaires'] as const

function isNothing(wanted: Wanted): boolean {
  return kinds.every((name) => wanted[name].size === 0)
}

/** @returns whether anything was wanted that was not looked for in an earlier round. */
function addNew(wanted: Wanted, asked: Wanted, open: Wanted): boolean {
  let isNew = false
  for (const name of kinds) {
    for (const each of wanted[name]) {
      if (asked[name].has(each)) continue
      if (open[name].size + (name === 'profiles' ? 0 : asked[name].size) < most[name]) open[name].add(each)
      isNew ||= open[name].has(each) || name === 'profiles'
    }
  }
  return isNew
}
