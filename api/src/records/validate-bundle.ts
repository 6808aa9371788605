/**
 * What entries of a Bundle are called: a fullUrl is an absolute address and does not contradict the resource under it.
 * Source: FHIR R4 Bundle.entry.fullUrl, § bundle.html#bundle-unique.
 */
import { hasScheme } from '../fhir/references.ts'
import { isResourceType } from '../fhir/resource-types.ts'
import { report, type Run } from './validate.ts'
import * as say from './validation-sentences.ts'

export function checkFullUrls(run: Run, entries: unknown): void {
  if (!Array.isArray(entries)) return
  for (const [index, entry] of entries.entries()) {
    const { fullUrl, resource } = (entry ?? {}) as { fullUrl?: unknown; resource?: unknown }
    if (typeof fullUrl !== 'string') continue
    const at = `.entry[${index}].fullUrl`
    if (!hasScheme(fullUrl)) report(run, 'value-invalid', say.notAbsolute(fullUrl), at)
    else if (contradicts(fullUrl, resource)) report(run, 'value-invalid', say.fullUrlContradiction(fullUrl), at)
  }
}

/** Only the address of a FHIR server says what the resource is. */
function contradicts(fullUrl: string, resource: unknown): boolean {
  const [, type = '', id] = /^https?:\/\/.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(fullUrl) ?? []
  if (!isResourceType(type)) return false
  const { resourceType, id: own } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
  return (typeof resourceType === 'string' && resourceType !== type) || (typeof own === 'string' && own !== id)
}
