/**
 * Which versions of code systems an expansion is to use, as its caller says: `system-version` where the value set names none, `force-system-version`
 * whatever it names, `check-system-version` or no expansion at all. Source: FHIR R4 ValueSet § $expand.
 */
import type { ValueSet, ValueSetComposeInclude } from '@medplum/fhirtypes'
import { type Input, invalid, type Kind } from './operation-input.ts'
import { splitCanonical } from './read-compose.ts'
import * as say from './sentences.ts'
import type { CompiledSet } from './shapes.ts'

export const versionParameters = { 'system-version': 'text*', 'check-system-version': 'text*', 'force-system-version': 'text*' } as const satisfies Record<string, Kind>
type Name = keyof typeof versionParameters

export interface Versions { asked: ReadonlyMap<Name, ReadonlyMap<string, string>> }

/** @throws OutcomeError `parameter-invalid` for what is not `system|version`. */
export function readVersions(input: Input): Versions {
  const names = Object.keys(versionParameters) as Name[]
  return { asked: new Map(names.map((name) => [name, new Map(input.texts(name).map((text) => systemAndVersion(name, text)))])) }
}

function systemAndVersion(name: string, text: string): [string, string] {
  const { url, version } = splitCanonical(text)
  if (url === '' || !version) throw invalid(name, null, '应为 system|version。', 'write system|version.')
  return [url, version]
}

/** The value set with the versions that its clauses then name; itself where nothing changes. @throws OutcomeError `value-invalid` when it names another than is checked for. */
export function withVersions(valueSet: ValueSet, versions: Versions): ValueSet {
  const { compose } = valueSet
  if (!compose || [...versions.asked.values()].every((each) => each.size === 0)) return valueSet
  const named = (clause: ValueSetComposeInclude): ValueSetComposeInclude => {
    const version = clause.system === undefined ? undefined : versionOf(clause.system, clause.version, versions)
    return version === undefined || version === clause.version ? clause : { ...clause, version }
  }
  return { ...valueSet, compose: { ...compose, include: compose.include.map(named), ...(compose.exclude ? { exclude: compose.exclude.map(named) } : {}) } }
}

function versionOf(system: string, own: string | undefined, { asked }: Versions): string | undefined {
  const of = (name: Name) => asked.get(name)?.get(system)
  const [forced, checked] = [of('force-system-version'), of('check-system-version')]
  if (forced !== undefined) return forced
  if (checked !== undefined && own !== undefined && own !== checked) throw say.otherVersion(system, own, checked)
  return own ?? checked ?? of('system-version')
}

/** Value sets that are imported name versions of their own: none may differ from what is forced or checked. @throws OutcomeError `value-invalid`. */
export function assertVersions({ systems }: CompiledSet, { asked }: Versions): void {
  for (const used of systems) {
    const { url, version } = splitCanonical(used)
    const wanted = asked.get('force-system-version')?.get(url) ?? asked.get('check-system-version')?.get(url)
    if (wanted !== undefined && version !== null && version !== wanted) throw say.otherVersion(url, version, wanted)
  }
}
