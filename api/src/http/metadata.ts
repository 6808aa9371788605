/**
 * The CapabilityStatement, derived from the store's entries, the search parameters and the operations: it says what the routes do
 * and nothing else. Source: FHIR R4 CapabilityStatement.
 */
import { compartmentTypes } from '../fhir/compartments.ts'
import type { SearchParam } from '../fhir/search-parameters.ts'
import { sortKeysMax } from '../records/search/sort.ts'
import { countDefault, countMax } from '../records/search/parse-query.ts'
import { linksMax } from '../records/search/chain.ts'
import { isSearchable, modifiersOf } from '../records/search/parameter.ts'
import type { Operation, ResourceEntry, Store } from '../records/store.ts'
import { operationBase } from '../catalogue/definitions.ts'

export function capabilityStatement(store: Store, operations: readonly Operation[], base: string, now: Date, cors: boolean): Record<string, unknown> {
  const system = operations.filter((each) => each.level === 'system')
  return {
    resourceType: 'CapabilityStatement',
    id: 'pujiang',
    url: `${base}/metadata`,
    name: 'PujiangHealth',
    title: '浦江健康 · Pujiang Health',
    status: 'active',
    date: now.toISOString(),
    publisher: 'Pujiang Health',
    kind: 'instance',
    instantiates: ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'],
    software: { name: 'Pujiang Health' },
    implementation: { description: '浦江健康：城市健康档案、预约与医保结算。A city\'s health records, booking and settlement.', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json', 'application/fhir+json'],
    rest: [{
      mode: 'server',
      documentation: `_count is ${countDefault} by default and ${countMax} at most; _sort takes up to ${sortKeysMax} keys; `
        + `_include and _revinclude take * and :iterate (6 steps and 1000 resources at most); chains and _has have ${linksMax} links at most. `
        + '_filter takes all operators, without square brackets; _query and _contained (other than false) are not offered. '
        + 'X-Provenance is taken with create, update, patch, delete and transaction. '
        + 'Unknown parameters and modifiers are refused unless Prefer: handling=lenient is sent.',
      security: {
        cors,
        service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
        description: 'Bearer tokens (RFC 6750); see .well-known/smart-configuration.',
      },
      resource: [...store.entries.values()].map((entry) => resourceOf(store, entry, operations)),
      interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'search-system' }, { code: 'history-system' }],
      compartment: compartmentTypes.map((type) => `http://hl7.org/fhir/CompartmentDefinition/${type.charAt(0).toLowerCase()}${type.slice(1)}`),
      ...(system.length > 0 ? { operation: operationsOf(system) } : {}),
    }],
  }
}

function resourceOf(store: Store, entry: ResourceEntry, operations: readonly Operation[]): Record<string, unknown> {
  const { type } = entry
  const writable = entry.write === 'open'
  const own = operations.filter((each) => each.level !== 'system' && each.types.includes(type))
  const reads = ['read', 'search-type', ...(entry.projection ? [] : ['vread', 'history-instance', 'history-type'])]
  const { projection } = entry
  const defined = [...store.model.searchParameters(type).values()]
  const parameters = projection ? defined.filter((param) => projection.parameters.includes(param.code)) : defined.filter(isSearchable)
  const references = parameters.filter((param) => param.type === 'reference' && param.storage === 'keys')
  const referring = referringTo(store, type)
  const profiles = projection ? [] : [...store.model.profiles.values()].filter((each) => each.type === type).map((each) => each.url)
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    ...(profiles.length > 0 ? { supportedProfile: profiles } : {}),
    interaction: [...reads, ...(writable ? ['create', 'update', 'patch', 'delete'] : [])].map((code) => ({ code })),
    versioning: entry.projection ? 'no-version' : 'versioned',
    readHistory: !entry.projection,
    updateCreate: writable,
    conditionalCreate: writable && !entry.projection,
    conditionalRead: entry.projection ? 'not-supported' : 'full-support',
    conditionalUpdate: writable,
    conditionalDelete: writable ? 'single' : 'not-supported',
    referencePolicy: ['literal', 'logical'],
    ...(references.length > 0 ? { searchInclude: references.map((param) => `${type}:${param.code}`) } : {}),
    ...(referring.length > 0 ? { searchRevInclude: referring } : {}),
    searchParam: projection ? parameters.map(({ code, url, type: kind }) => ({ name: code, definition: url, type: kind })) : searchParams(parameters),
    ...(own.length > 0 ? { operation: operationsOf(own) } : {}),
  }
}

const columns = [
  { name: '_id', definition: 'http://hl7.org/fhir/SearchParameter/Resource-id', type: 'token' },
  { name: '_list', definition: 'http://hl7.org/fhir/SearchParameter/Resource-list', type: 'special' },
  { name: '_text', definition: 'http://hl7.org/fhir/SearchParameter/DomainResource-text', type: 'string' },
  { name: '_content', definition: 'http://hl7.org/fhir/SearchParameter/Resource-content', type: 'string' },
  { name: '_filter', definition: 'http://hl7.org/fhir/SearchParameter/filter', type: 'special' },
  { name: '_lastUpdated', definition: 'http://hl7.org/fhir/SearchParameter/Resource-lastUpdated', type: 'date' },
]

function searchParams(parameters: readonly SearchParam[]): Record<string, unknown>[] {
  const named = new Set(columns.map((each) => each.name))
  return [...columns, ...parameters.filter((param) => !named.has(param.code)).map((param) => ({
    name: param.code, definition: param.url, type: param.type, documentation: `Modifiers: ${modifiersOf(param).map((each) => `:${each}`).join(' ')}`,
  }))]
}

/** `Observation:subject` for Patient. */
function referringTo(store: Store, type: string): string[] {
  const found: string[] = []
  for (const other of store.entries.values()) {
    for (const param of store.model.searchParameters(other.type).values()) {
      if (param.type === 'reference' && param.storage === 'keys' && param.targets.includes(type) && (other.projection?.parameters.includes(param.code) ?? true)) found.push(`${other.type}:${param.code}`)
    }
  }
  return found
}

/** One that is offered on the type and on an instance is one operation. */
function operationsOf(operations: readonly Operation[]): Record<string, unknown>[] {
  return operations.filter((each, index) => operations.findIndex(({ name, definition }) => name === each.name && definition === each.definition) === index).map(operationOf)
}

function operationOf({ name, summary, definition }: Operation): Record<string, unknown> {
  return { name: name.slice(1), definition: definition ?? `${operationBase}${name.slice(1)}`, documentation: summary }
}
