/**
 * `ValueSet/$expand`: the codes of a value set, by address, by id or as sent. A page (`offset`, `count`) and a text filter cut
 * the flat list; without them codes chosen by rule stand under their parents, unless `excludeNested`. `total` counts the codes
 * of all pages. Source: FHIR R4 ValueSet § $expand.
 */
import type { ValueSet, ValueSetExpansionContains, ValueSetExpansionParameter } from '@medplum/fhirtypes'
import { displayOf, languageWanted, shownDesignations, textMatcher } from './display.ts'
import { compile, findDefinition, findDefinitionById, type Source } from './library.ts'
import { type Input, invalid, type Kind, missing, readInput, type TerminologyCall } from './operation-input.ts'
import { readCompose, splitCanonical } from './read-compose.ts'
import * as say from './sentences.ts'
import type { CompiledSet, Concept, Member } from './shapes.ts'
import { assertVersions, readVersions, versionParameters, withVersions } from './system-versions.ts'

export const expandParameters: Readonly<Record<string, Kind>> = {
  url: 'text', valueSet: 'resource', valueSetVersion: 'text', filter: 'text', offset: 'count', count: 'count',
  includeDesignations: 'flag', designation: 'text*', includeDefinition: 'flag', activeOnly: 'flag', excludeNested: 'flag',
  excludeNotForUI: 'flag', excludePostCoordinated: 'flag', displayLanguage: 'text', 'exclude-system': 'text*', ...versionParameters,
}

/** More codes than these come in pages only. */
const unpagedMax = 10_000

/** @throws OutcomeError `not-found`, `too-costly`, `code-system-absent`, `value-invalid`, `parameter-invalid`. */
export async function expand(call: TerminologyCall, source: Source): Promise<{ resource: ValueSet }> {
  const input = readInput(call, expandParameters, { type: 'ValueSet', name: 'valueSet' })
  const valueSet = await valueSetOf(call, input, source)
  const versions = readVersions(input)
  const set = await compile(source, withVersions(valueSet, versions))
  assertVersions(set, versions)
  const members = chosen(set, input)
  if (members.length > unpagedMax && input.count('count') === null) throw say.tooManyCodes(members.length)
  const contains = pageOf(members, input, call)
  const { resourceType, id, url, version, name, title, status, copyright, compose } = valueSet
  return {
    resource: {
      ...kept({ resourceType, id, url, version, name, title, status, copyright, compose: input.flag('includeDefinition') ? compose : undefined }),
      status: status ?? 'active',
      expansion: {
        // There may be more codes than are known here.
        ...(set.open ? { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed', valueBoolean: true }] } : {}),
        identifier: `urn:uuid:${call.ctx.newId(null)}`,
        timestamp: call.ctx.now.toISOString(),
        total: members.length,
        ...(isPaged(input) ? { offset: input.count('offset') ?? 0 } : {}),
        parameter: echo(input, set),
        ...(contains.length > 0 ? { contains } : {}),
      },
    },
  }
}

/** The value set of a call: sent along, by id, or by address. */
export async function valueSetOf(call: TerminologyCall, input: Input, source: Source): Promise<ValueSet> {
  const sent = input.resource('valueSet')
  const ways = [call.id !== null, sent !== null, input.has('url')].filter(Boolean).length
  if (ways > 1) throw invalid('url', null, '地址、编号和随附的值集只能给一个。', 'name the value set once: by address, by id, or send it along.')
  if (call.id !== null) return findDefinitionById<ValueSet>(source, 'ValueSet', call.id)
  if (sent !== null) return sentValueSet(sent)
  const url = input.text('url')
  if (url === null) throw missing('url, valueSet')
  return findDefinition<ValueSet>(source, 'ValueSet', url, input.text('valueSetVersion'))
}

function sentValueSet(sent: unknown): ValueSet {
  const { resourceType, url } = sent as { resourceType?: unknown; url?: unknown }
  if (resourceType !== 'ValueSet') throw invalid('valueSet', null, '应为 ValueSet 资源。', 'it must be a ValueSet.')
  if (url !== undefined && typeof url !== 'string') throw invalid('valueSet', 'ValueSet.url', '地址应为文字。', 'its url must be text.')
  readCompose(sent)
  return sent as ValueSet
}

function isPaged(input: Input): boolean {
  return input.has('offset') || input.has('count')
}

function chosen(set: CompiledSet, input: Input): readonly Member[] {
  const filter = input.text('filter')
  const matches = filter === null ? null : textMatcher(filter)
  const [activeOnly, selectableOnly] = [input.flag('activeOnly'), input.flag('excludeNotForUI')]
  const without = input.texts('exclude-system').map(splitCanonical)
  if (!matches && !activeOnly && !selectableOnly && without.length === 0) return set.members()
  const isOut = (member: Member) => without.some(({ url, version }) => member.system === url && (version === null || member.version === version))
  return set.members().filter((each) => !isOut(each) && !(activeOnly && each.concept.inactive) && !(selectableOnly && each.concept.abstract) && (!matches || matches(each)))
}

function pageOf(members: readonly Member[], input: Input, call: TerminologyCall): ValueSetExpansionContains[] {
  const language = languageWanted(input.text('displayLanguage'), call.ctx)
  const uses = input.texts('designation')
  const withDesignations = input.flag('includeDesignations') ?? uses.length > 0
  const entry = (member: Member): ValueSetExpansionContains => {
    const display = displayOf(member, language)
    const { concept, system, version } = member
    const designation = withDesignations ? shownDesignations(member, display).filter((each) => uses.length === 0 || uses.some((use) => isUse(each, use))) : []
    const made: ValueSetExpansionContains = version === null ? { system, code: concept.code, display } : { system, version, code: concept.code, display }
    if (concept.abstract) made.abstract = true
    if (concept.inactive) made.inactive = true
    if (designation.length > 0) made.designation = designation
    return made
  }
  if (isPaged(input)) {
    const offset = input.count('offset') ?? 0
    const count = input.count('count')
    return members.slice(offset, count === null ? undefined : offset + count).map(entry)
  }
  return input.flag('excludeNested') || input.has('filter') ? members.map(entry) : nested(members, entry)
}

/** `designation=urn:ietf:bcp:47|zh` asks for a language, any other token for a use. */
function isUse(designation: { language?: string; use?: { system?: string; code?: string } }, token: string): boolean {
  const [system, code] = [token.slice(0, Math.max(0, token.lastIndexOf('|'))), token.slice(token.lastIndexOf('|') + 1)]
  return system === 'urn:ietf:bcp:47' ? designation.language === code : designation.use?.code === code && (system === '' || designation.use.system === system)
}

/** Each code under the nearest of its ancestors that is in the list too. */
function nested(members: readonly Member[], entry: (member: Member) => ValueSetExpansionContains): ValueSetExpansionContains[] {
  const entries = new Map(members.map((member) => [member, entry(member)]))
  const byConcept = new Map(members.flatMap((member) => (member.nests ? [[member.concept, member] as const] : [])))
  const roots: ValueSetExpansionContains[] = []
  for (const [member, made] of entries) {
    const parent = member.nests ? nearestAbove(member.concept, byConcept) : null
    const above = parent && entries.get(parent)
    if (above) (above.contains ??= []).push(made)
    else roots.push(made)
  }
  return roots
}

/** No hierarchy is that deep; a definition made to be slow may be. */
const depthMax = 200

/** By the first parent of each, which is the one it is defined under; a circle of parents ends the way up. */
function nearestAbove(concept: Concept, byConcept: ReadonlyMap<Concept, Member>): Member | null {
  const seen = new Set([concept])
  let [above] = concept.parents
  while (above && !seen.has(above) && seen.size < depthMax) {
    const member = byConcept.get(above)
    if (member) return reaches(above, concept) ? null : member
    seen.add(above)
    above = above.parents[0]
  }
  return null
}

/** Whether the way up from `from` comes back to `to`: then neither may stand under the other. */
function reaches(from: Concept, to: Concept): boolean {
  const seen = new Set([from])
  for (let each = from.parents[0]; each && !seen.has(each) && seen.size < depthMax; each = each.parents[0]) {
    if (each === to) return true
    seen.add(each)
  }
  return false
}

function echo(input: Input, set: CompiledSet): ValueSetExpansionParameter[] {
  const given = Object.entries(expandParameters).flatMap(([name, kind]): ValueSetExpansionParameter[] => {
    if (!input.has(name)) return []
    if (kind === 'flag') return [{ name, valueBoolean: input.flag(name) ?? false }]
    if (kind === 'count') return [{ name, valueInteger: input.count(name) ?? 0 }]
    return kind === 'text' || kind === 'text*' ? input.texts(name).map((valueString) => ({ name, valueString })) : []
  })
  return [...given, ...[...set.systems].map((each) => ({ name: 'version', valueUri: each }))]
}

function kept<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
