/**
 * `ConceptMap/$translate`: the codes that correspond to a code, by one map (address, id, or sent along) or by every map known.
 * `reverse` reads the maps from target to source and turns the equivalences round. A code without an entry follows the map's
 * `unmapped` rule. Source: FHIR R4 ConceptMap § $translate.
 */
import type { Coding, ConceptMap, ConceptMapGroup, Parameters, ParametersParameter } from '@medplum/fhirtypes'
import { builtInConceptMaps } from './built-in.ts'
import { asMember, displayOf, languageWanted } from './display.ts'
import { builtInSystem, choose, findConceptMap, findDefinitionById, type Source } from './library.ts'
import { type Input, invalid, type Kind, missing, readInput, type TerminologyCall } from './operation-input.ts'
import { splitCanonical } from './read-compose.ts'
import { readSentConceptMap } from './read-sent.ts'
import * as say from './sentences.ts'

interface Match { equivalence: string; concept: Coding; map: string | null; products: { element: string; concept: Coding }[] }

const parameters: Readonly<Record<string, Kind>> = {
  url: 'text', conceptMap: 'resource', conceptMapVersion: 'text', code: 'text', system: 'text', version: 'text', source: 'text',
  coding: 'coding', codeableConcept: 'concept', target: 'text', targetsystem: 'text', reverse: 'flag',
}

/** @throws OutcomeError `not-found` (the map), `parameter-invalid`. */
export async function translate(call: TerminologyCall, source: Source): Promise<{ resource: Parameters }> {
  const input = readInput(call, parameters)
  const codings = codingsOf(input)
  const reverse = input.flag('reverse') ?? false
  const maps = (await mapsOf(call, input, codings, reverse, source)).filter((map) => isAsked(map, input, reverse))
  const way: Way = { reverse, targetSystem: input.text('targetsystem'), source, follow: { left: followedMax } }
  const matches: Match[] = []
  for (const coding of codings) for (const map of maps) matches.push(...await matchesIn(map, coding, way))
  const good = matches.some((each) => each.equivalence !== 'unmatched' && each.equivalence !== 'disjoint')
  return {
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'result', valueBoolean: good },
        ...(good ? [] : [{ name: 'message', valueString: say.noTranslationText(codings[0]?.code ?? '')[call.ctx.language] }]),
        ...matches.map((each) => matchPart(each, languageWanted(null, call.ctx))),
      ],
    },
  }
}

function codingsOf(input: Input): Coding[] {
  const ways = ['code', 'coding', 'codeableConcept'].filter((name) => input.has(name))
  if (ways.length === 0) throw missing('code, coding, codeableConcept')
  if (ways.length > 1) throw invalid(ways[1] as string, null, 'code、coding、codeableConcept 只能给一个。', 'give one of code, coding and codeableConcept.')
  const code = input.text('code')
  if (code === null) {
    const codings = [input.coding('coding') ?? input.concept('codeableConcept')?.coding ?? []].flat().filter((each) => each.code !== undefined)
    if (codings.length === 0) throw invalid(ways[0] as string, null, '其中没有代码。', 'there is no code in it.')
    return codings
  }
  const system = input.text('system')
  if (system === null) throw missing('system')
  return [{ system, code }]
}

async function mapsOf(call: TerminologyCall, input: Input, codings: readonly Coding[], reverse: boolean, source: Source): Promise<ConceptMap[]> {
  const sent = input.resource('conceptMap') as ConceptMap | null
  if ([call.id !== null, sent !== null, input.has('url')].filter(Boolean).length > 1) {
    throw invalid('url', null, '地址、编号和随附的概念映射只能给一个。', 'name the concept map once: by address, by id, or send it along.')
  }
  if (call.id !== null) return [await findDefinitionById<ConceptMap>(source, 'ConceptMap', call.id)]
  if (sent !== null) {
    if (sent.resourceType !== 'ConceptMap') throw invalid('conceptMap', null, '应为 ConceptMap 资源。', 'it must be a ConceptMap.')
    return [readSentConceptMap(sent)]
  }
  const url = input.text('url')
  if (url !== null) return [await findConceptMap(source, url, input.text('conceptMapVersion'))]
  const systems = new Set(codings.flatMap((each) => (each.system === undefined ? [] : [each.system])))
  const own = builtInConceptMaps()
  const stored = (await Promise.all([...systems].map((system) => source.store.conceptMaps(source.db, system, reverse ? 'target' : 'source')))).flat()
  const urls = new Set(stored.flatMap(({ resource: { url } }) => (url && !own.some((each) => each.url === url) ? [url] : [])))
  return [...own, ...[...urls].flatMap((each) => choose(stored, each, null)?.resource as ConceptMap | undefined ?? [])]
}

/** `source` and `target` are the value sets a map goes between; reversed, they change places. */
function isAsked(map: ConceptMap, input: Input, reverse: boolean): boolean {
  const from = map.sourceCanonical ?? map.sourceUri
  const to = map.targetCanonical ?? map.targetUri
  const same = (asked: string | null, has: string | undefined) => asked === null || (has !== undefined && splitCanonical(asked).url === splitCanonical(has).url)
  return same(input.text('source'), reverse ? to : from) && same(input.text('target'), reverse ? from : to)
}

interface Way {
  reverse: boolean
  targetSystem: string | null
  source: Source
  /** How many more maps `unmapped` may lead to, in the whole request. */
  follow: { left: number }
}

const followedMax = 20

async function matchesIn(map: ConceptMap, coding: Coding, way: Way): Promise<Match[]> {
  const found: Match[] = []
  for (const group of map.group ?? []) {
    const [from, to] = way.reverse ? [group.target, group.source] : [group.source, group.target]
    if (coding.system !== undefined && from !== undefined && from !== coding.system) continue
    if (way.targetSystem !== null && to !== way.targetSystem) continue
    const matches = way.reverse ? reversed(map, group, coding) : direct(map, group, coding)
    found.push(...matches.length > 0 || way.reverse ? matches : await unmapped(map, group, coding, way))
  }
  return found
}

function direct(map: ConceptMap, group: ConceptMapGroup, coding: Coding): Match[] {
  const elements = (group.element ?? []).filter((each) => each.code === coding.code)
  return elements.flatMap((element) => (element.target ?? []).map((target): Match => ({
    equivalence: target.equivalence ?? 'equivalent',
    concept: codingOf(group.target, group.targetVersion, target.code, target.display),
    map: map.url ?? null,
    products: (target.product ?? []).map((each) => ({ element: each.property ?? '', concept: codingOf(each.system, undefined, each.value, each.display) })),
  })))
}

const turned: Readonly<Record<string, string>> = { __proto__: null as never, wider: 'narrower', narrower: 'wider', subsumes: 'specializes', specializes: 'subsumes' }

function reversed(map: ConceptMap, group: ConceptMapGroup, coding: Coding): Match[] {
  return (group.element ?? []).flatMap((element) => (element.target ?? []).filter((target) => target.code === coding.code).map((target): Match => ({
    equivalence: turned[target.equivalence ?? ''] ?? target.equivalence ?? 'equivalent',
    concept: codingOf(group.source, group.sourceVersion, element.code, element.display),
    map: map.url ?? null,
    products: [],
  })))
}

async function unmapped(map: ConceptMap, group: ConceptMapGroup, coding: Coding, way: Way): Promise<Match[]> {
  const rule = group.unmapped
  if (!rule || (group.element ?? []).some((each) => each.code === coding.code)) return []
  const match = (concept: Coding): Match[] => [{ equivalence: 'relatedto', concept, map: map.url ?? null, products: [] }]
  if (rule.mode === 'provided') return match(codingOf(group.target, group.targetVersion, coding.code, coding.display))
  if (rule.mode === 'fixed') return match(codingOf(group.target, group.targetVersion, rule.code, rule.display))
  if (rule.mode !== 'other-map' || !rule.url || way.follow.left <= 0) return []
  way.follow.left--
  return matchesIn(await findConceptMap(way.source, rule.url, null), coding, way)
}

function codingOf(system: string | undefined, version: string | undefined, code: string | undefined, display: string | undefined): Coding {
  return { ...(system ? { system } : {}), ...(version ? { version } : {}), ...(code ? { code } : {}), ...(display ? { display } : {}) }
}

/** Maps often leave out what the code is called. */
function withDisplay(coding: Coding, language: string | null): Coding {
  const system = coding.display === undefined && coding.system !== undefined ? builtInSystem(coding.system, null) : null
  const concept = system?.find(coding.code ?? '')
  return system && concept ? { ...coding, display: displayOf(asMember(concept, system.language), language) } : coding
}

function matchPart({ equivalence, concept, map, products }: Match, language: string | null): ParametersParameter {
  return {
    name: 'match',
    part: [
      { name: 'equivalence', valueCode: equivalence },
      { name: 'concept', valueCoding: withDisplay(concept, language) },
      ...products.map((each) => ({ name: 'product', part: [{ name: 'element', valueUri: each.element }, { name: 'concept', valueCoding: each.concept }] })),
      ...(map === null ? [] : [{ name: 'source', valueUri: map }]),
    ],
  }
}
