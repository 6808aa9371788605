/**
 * References: the text is a reference at all, points to a type that the element allows, agrees with `Reference.type`, and
 * `#id` is among the contained resources. Whether the target exists is not asked here.
 * Source: FHIR R4 2.3 (references), ref-1.
 */
import { nearest } from '../fhir/nearest.ts'
import { parseReference } from '../fhir/references.ts'
import { resourceTypes } from '../fhir/resource-types.ts'
import type { Property } from '../fhir/structure.ts'
import { report, type Run } from './validate.ts'
import { certainType, resolve } from './validation/resolve.ts'
import * as say from './validation-sentences.ts'

export function checkReference(run: Run, value: Record<string, unknown>, property: Property): void {
  const { reference, type } = value
  let target = typeof type === 'string' ? type : null
  if (typeof reference === 'string' && reference !== '') {
    const parsed = parseReference(reference)
    if (parsed.kind === 'invalid' || (parsed.kind === 'conditional' && run.bundle === null)) {
      report(run, 'reference-invalid', say.notReference(reference.slice(0, 120), suggestion(reference)), '.reference')
      return
    }
    if (parsed.kind === 'contained' && resolve(run, value) === null) {
      report(run, 'reference-unresolved', say.noContained(parsed.id), '.reference')
      return
    }
    const found = certainType(run, value)
    if (found !== null && target !== null && found !== target) report(run, 'reference-invalid', say.typeContradiction(target, reference), '.type')
    target = found ?? target
  }
  if (target === null || property.targets.length === 0 || property.targets.includes(target)) return
  report(run, 'reference-invalid', say.wrongTarget(target, property.targets), typeof reference === 'string' ? '.reference' : '.type')
}

function suggestion(reference: string): string | null {
  const [type = '', id] = reference.split('/')
  const found = nearest(type, resourceTypes)
  return found && id && /^[A-Za-z0-9\-.]{1,64}$/.test(id) ? `${found}/${id}` : null
}
