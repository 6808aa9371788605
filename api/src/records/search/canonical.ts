/**
 * Links by canonical address, such as QuestionnaireResponse.questionnaire: the address of a definition, with or without `|version`, in place of
 * `Type/id`. A row is stored under the whole address and under the address alone. A link without a version leads to every version of a
 * definition, one with a version to that version only. Source: FHIR R4 2.3.0.1 (canonical), 3.1.1.4.12.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { FhirModel } from '../../fhir/model.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { branchesOf } from './branches.ts'
import { hasAny, oneOf } from './criterion.ts'
import { referenceKey, tokenKey, uriKey } from './keys.ts'

export interface Canonical { url: string; version: string | null }

/** Whether a reference parameter holds addresses of definitions. */
export function isCanonical(model: FhirModel, type: ResourceType, param: SearchParam): boolean {
  return branchesOf(model, type, param).some((branch) => branch.type === 'canonical' || branch.type === 'uri')
}

/** `url|version` in its parts, without what stands behind `#`. */
export function canonicalOf(text: string): Canonical {
  const [address = ''] = text.split('#')
  const bar = address.indexOf('|')
  return bar < 0 ? { url: address, version: null } : { url: address.slice(0, bar), version: address.slice(bar + 1) }
}

/** Versions that one is below: of 1.2.3 these are 1.2 and 1. */
export function broaderVersions(version: string): string[] {
  const parts = version.split('.')
  return parts.slice(1).map((_, count) => parts.slice(0, parts.length - 1 - count).join('.'))
}

/** Types that have an address to be found by. */
export function isDefinition(model: FhirModel, type: ResourceType): boolean {
  return model.searchParameters(type).get('url')?.type === 'uri'
}

/** The address of a definition, read off its stored text. */
export function addressOf(content: string): Canonical | null {
  const { url, version } = JSON.parse(content) as { url?: unknown; version?: unknown }
  return typeof url === 'string' ? { url, version: typeof version === 'string' ? version : null } : null
}

/** Addresses that a row refers to by parameters whose keys are those of `codes`: a text counts when its key is among the row's. */
export function canonicalsOf(content: string, keys: Iterable<bigint>, source: ResourceType, codes: readonly string[]): Canonical[] {
  const held = new Set(keys)
  const found = new Map<string, Canonical>()
  for (const [, text = ''] of content.matchAll(/"((?:https?|urn):[^"\\\s]{1,1000})"/g)) {
    if (found.has(text) || !codes.some((code) => held.has(referenceKey(source, code, text)))) continue
    const bar = text.indexOf('|')
    found.set(text, bar < 0 ? { url: text, version: null } : { url: text.slice(0, bar), version: text.slice(bar + 1) })
  }
  return [...found.values()]
}

/** Keys of rows that may refer to one of the definitions; `refersExactly` tells the versions apart. */
export function canonicalKeys(type: ResourceType, codes: readonly string[], definitions: readonly Canonical[]): bigint[] {
  return definitions.flatMap(({ url }) => codes.map((code) => referenceKey(type, code, url)))
}

/** Row `r` refers to the definition: by its version, or by the address with no version behind it. */
export function refersExactly(type: ResourceType, codes: readonly string[], { url, version }: Canonical): RawBuilder<SqlBool> {
  const bare = sql<SqlBool>`(${hasAny(canonicalKeys(type, codes, [{ url, version }]))} and strpos(r.content, ${`${JSON.stringify(url).slice(0, -1)}|`}) = 0)`
  if (version === null) return bare
  return sql<SqlBool>`(${hasAny(codes.map((code) => referenceKey(type, code, `${url}|${version}`)))} or ${bare})`
}

/** Definition `r` is one of those that the addresses name. */
export function namedBy(type: ResourceType, addresses: readonly Canonical[]): { keys: bigint[]; condition: RawBuilder<SqlBool> } {
  return {
    keys: addresses.map(({ url }) => uriKey(type, 'url', url)),
    condition: oneOf(addresses.map(({ url, version }) => (version === null ? hasAny([uriKey(type, 'url', url)])
      : sql<SqlBool>`(${hasAny([uriKey(type, 'url', url)])} and ${hasAny([tokenKey(type, 'version', undefined, version)])})`))),
  }
}
