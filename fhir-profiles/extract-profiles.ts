/**
 * The part of the extracts that says more than structure: the invariants of every type, and HL7's own profiles and
 * extension definitions, both without the texts that only a specification page needs.
 * A constraint stands once, where it is declared: what an element repeats from its base or its type is left out.
 */
import { changedConstraints, droppedConstraints, droppedElements, droppedTypes } from './corrections.ts'
import type { ConstraintRow, ProfileElement, ProfileRow } from './extracts.ts'
import { readSource } from './source.ts'

interface SourceConstraint { key: string; severity: 'error' | 'warning'; human: string; expression?: string }
interface SourceElement extends ProfileElement { path: string; constraint?: SourceConstraint[] }
interface SourceDefinition {
  resourceType: string
  url: string
  name: string
  type: string
  derivation?: string
  baseDefinition?: string
  context?: ProfileRow['context']
  contextInvariant?: string[]
  snapshot: { element: SourceElement[] }
  differential: { element: SourceElement[] }
}

function definitions(name: string): SourceDefinition[] {
  const bundle = readSource(name) as { entry: { resource: SourceDefinition }[] }
  return bundle.entry.map((entry) => entry.resource).filter((each) => each.resourceType === 'StructureDefinition')
}

const tail = (url: string): string => url.slice(url.lastIndexOf('/') + 1)

/** Path of the declaring element → its invariants. */
export function constraintRows(): Record<string, ConstraintRow[]> {
  const types = [...definitions('profiles-types.json'), ...definitions('profiles-resources.json')].filter((each) => each.derivation !== 'constraint')
  const keysOfRoot = new Map(types.map((each) => [each.name, new Set((each.snapshot.element[0]?.constraint ?? []).map(({ key }) => key))]))
  const rows: Record<string, ConstraintRow[]> = {}
  for (const { name, baseDefinition, snapshot } of types.filter((each) => !droppedTypes.includes(each.name))) {
    for (const element of snapshot.element) {
      if (droppedElements.some((path) => element.path === path || element.path.startsWith(`${path}.`))) continue
      const known = element.path === name ? [baseDefinition ? tail(baseDefinition) : ''] : ['Element', ...(element.type ?? []).map(({ code }) => code)]
      const own = [...(element.constraint ?? []).filter(({ key }) => !known.some((each) => keysOfRoot.get(each)?.has(key))), ...simpleQuantity(element)]
        .filter(({ key }) => !droppedConstraints.includes(key))
        .map(({ key, severity, human, expression = '' }): ConstraintRow => [key, severity, human, changedConstraints[key] ?? expression])
      if (own.length) rows[element.path] = own
    }
  }
  return rows
}

/** SimpleQuantity is a profile on Quantity; its one rule is kept as an invariant of the elements that use it. */
function simpleQuantity({ type }: SourceElement): SourceConstraint[] {
  const uses = (type ?? []).some(({ code, profile }) => code === 'Quantity' && profile?.some((each) => tail(each) === 'SimpleQuantity'))
  return uses ? [{ key: 'sqty-1', severity: 'error', human: 'The comparator is not used on a SimpleQuantity', expression: 'comparator.empty()' }] : []
}

/** What of an element definition constrains an instance. */
const kept = /^(?:id|path|min|max|type|slicing|sliceName|maxLength|contentReference|(?:fixed|pattern|minValue|maxValue)[A-Z].*)$/

function profileElement(element: SourceElement): ProfileElement {
  const constraint = (element.constraint ?? []).filter(({ key }) => key !== 'ele-1' && key !== 'ext-1')
    .map(({ key, severity, human, expression }) => ({ key, severity, human, expression }))
  const { binding } = element
  const type = element.type?.map(({ code, profile, targetProfile }) => ({ code, ...(profile ? { profile } : {}), ...(targetProfile ? { targetProfile } : {}) }))
  return {
    ...Object.fromEntries(Object.entries(element).filter(([key]) => kept.test(key))) as unknown as ProfileElement,
    ...(type ? { type } : {}),
    ...(binding?.strength === 'required' ? { binding: { strength: binding.strength, valueSet: binding.valueSet } } : {}),
    ...(constraint.length ? { constraint } : {}),
  }
}

/** HL7's profiles and extensions by address. */
export function profileRows(): ProfileRow[] {
  return [...definitions('profiles-others.json'), ...definitions('extension-definitions.json')]
    .filter((each) => each.derivation === 'constraint')
    .map(({ url, name, type, baseDefinition, context, contextInvariant, differential }): ProfileRow => ({
      resourceType: 'StructureDefinition', url, name, type, baseDefinition: baseDefinition ?? null,
      ...(context ? { context: context.map(({ type: kind, expression }) => ({ type: kind, expression })) } : {}),
      ...(contextInvariant ? { contextInvariant } : {}),
      differential: { element: differential.element.map(profileElement) },
    }))
    .sort((one, other) => (one.url < other.url ? -1 : 1))
}
