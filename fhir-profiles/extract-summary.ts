/**
 * Which elements R4 marks as part of a summary (ElementDefinition.isSummary): the extract that `_summary=true` is served from.
 * Own module of extract.ts. Only resource types are listed, by path below the type; `value[x]` stands for all its types.
 */
import type { SummaryElements } from './extracts.ts'
import { readSource } from './source.ts'

interface Source { resourceType: string; kind: string; name: string; derivation?: string; snapshot: { element: { path: string; isSummary?: boolean }[] } }

/** @param known paths that the structures have, such as `Patient.contact`; others were taken out. */
export function summaryElements(known: ReadonlySet<string>): SummaryElements {
  const bundle = readSource('profiles-resources.json') as { entry: { resource: Source }[] }
  const definitions = bundle.entry.map(({ resource }) => resource)
    .filter((each) => each.resourceType === 'StructureDefinition' && each.kind === 'resource' && each.derivation !== 'constraint')
  return Object.fromEntries(definitions.map(({ name, snapshot }) => [
    name, snapshot.element.filter((each) => each.isSummary && known.has(each.path)).map((each) => each.path.slice(name.length + 1)),
  ]))
}
