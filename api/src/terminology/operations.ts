/**
 * The operations of the terminology service, one entry each, for the catalogue. They need no token: code systems, value sets
 * and concept maps are public. Every one exists on the type and on an instance (built-in definitions have ids too).
 */
import type { Parameters, ValueSet } from '@medplum/fhirtypes'
import type { Db } from '../storage/pool.ts'
import { expand } from './expand.ts'
import type { Source } from './library.ts'
import { lookup } from './lookup.ts'
import type { TerminologyCall } from './operation-input.ts'
import type { DefinitionStore, DefinitionType } from './shapes.ts'
import { subsumes } from './subsumes.ts'
import { translate } from './translate.ts'
import { validateInSet, validateInSystem } from './validate-code.ts'

type Run = (call: TerminologyCall, source: Source) => Promise<{ resource: Parameters | ValueSet }>

interface TerminologyOperation {
  name: string
  level: 'type' | 'instance'
  types: readonly [DefinitionType]
  methods: readonly ('GET' | 'POST')[]
  affectsState: false
  summary: string
  definition: string
  run(call: TerminologyCall): Promise<{ resource: Parameters | ValueSet }>
}

const table: readonly (readonly [type: DefinitionType, name: string, run: Run, summary: string])[] = [
  ['CodeSystem', '$lookup', lookup, 'What is known about a code: display, designations, properties, parents, children.'],
  ['CodeSystem', '$validate-code', validateInSystem, 'Whether a code is in a code system and called by its name.'],
  ['CodeSystem', '$subsumes', subsumes, 'Whether one code is above another in the hierarchy.'],
  ['ValueSet', '$expand', expand, 'The codes of a value set: filtered, paged, nested, in a language.'],
  ['ValueSet', '$validate-code', validateInSet, 'Whether a code is in a value set and called by its name.'],
  ['ConceptMap', '$translate', translate, 'The codes of another system that correspond to a code.'],
]

export function terminologyOperations(store: DefinitionStore<Db>): TerminologyOperation[] {
  return table.flatMap(([type, name, run, summary]) => (['type', 'instance'] as const).map((level) => ({
    name, level, types: [type] as const, methods: ['GET', 'POST'] as const, affectsState: false as const, summary,
    definition: `http://hl7.org/fhir/OperationDefinition/${type}-${name.slice(1)}`,
    run: (call: TerminologyCall) => run(call, { db: call.db, store }),
  })))
}
