/** The profiles that a resource declares in `meta.profile`, and those that `$validate` names for it. */
import type { Structure } from '../../fhir/structure.ts'
import { report, type Run } from '../validate.ts'
import { checkProfile } from './check-profile.ts'
import { isJson } from './items.ts'
import { coreType, withoutVersion } from './profile.ts'
import * as say from './profile-sentences.ts'

type Json = Record<string, unknown>

/** The run's path stands at the resource. */
export function checkDeclaredProfiles(run: Run, resource: Json, structure: Structure): void {
  const { meta } = resource
  if (!isJson(meta) || !Array.isArray(meta.profile)) return
  for (const [index, url] of meta.profile.entries()) {
    if (typeof url === 'string') checkNamedProfile(run, resource, structure, { url, place: `.meta.profile[${index}]` })
  }
}

export function checkNamedProfile(run: Run, resource: Json, structure: Structure, { url, place }: { url: string; place: string }): void {
  const core = coreType(run.model, withoutVersion(url))
  if (core !== null) {
    if (core !== structure.name && core !== structure.base && core !== 'Resource') {
      report(run, 'structure', say.wrongProfileType(core, core, structure.name), place)
    }
    return
  }
  const profile = run.profiles.find(url)
  if (!profile) {
    run.wanted.profiles.add(withoutVersion(url))
    report(run, 'profile-unknown', run.profiles.find(withoutVersion(url)) ? say.otherVersion(url) : say.unknownProfile(url), place, run.unknownProfiles)
    return
  }
  for (const missing of profile.missing) run.wanted.profiles.add(missing)
  run.profileTitle = profile.title
  checkProfile(run, resource, structure, profile)
  run.profileTitle = ''
}
