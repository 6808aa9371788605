/**
 * What entries of a Bundle are called: a fullUrl is an absolute address and does not contradict the resource under it. It is advice that entries have one,
 * and that a document brings what its Composition refers to. Source: FHIR R4 Bundle.entry.fullUrl, § bundle.html#bundle-unique, § documents.html#content.
 */
import { hasScheme } from '../fhir/references.ts'
import { isResourceType } from '../fhir/resource-types.ts'
import { report, type Run } from './validate.ts'
import { isJson, objects } from './validation/items.ts'
import { resolve } from './validation/resolve.ts'
import * as say from './validation-sentences.ts'

type Json = Record<string, unknown>

/** In these a request says where an entry is to go, or a response where it is. */
const withoutNames: readonly unknown[] = ['transaction', 'batch', 'transaction-response', 'batch-response']

export function checkFullUrls(run: Run, bundle: Json): void {
  for (const [index, entry] of (Array.isArray(bundle.entry) ? bundle.entry : []).entries()) {
    if (!isJson(entry)) continue
    const { fullUrl, resource } = entry
    const at = `.entry[${index}].fullUrl`
    if (typeof fullUrl !== 'string') {
      if (run.warnings && isJson(resource) && resource.resourceType !== 'OperationOutcome' && !withoutNames.includes(bundle.type)) report(run, 'required', say.noFullUrl(), at, 'warning')
      continue
    }
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

/** Elements of a Composition that refer to what belongs into its document. */
const ofDocument = ['subject', 'encounter', 'author', 'attester.party', 'custodian', 'event.detail', 'section.author', 'section.focus', 'section.entry']

/** The run's path stands at the Composition. */
export function checkDocument(run: Run, composition: Json): void {
  const [first] = run.bundle?.type === 'document' ? objects(run.bundle.entry) : []
  if (!run.warnings || first?.resource !== composition) return
  for (const path of ofDocument) {
    for (const { value, step } of valuesAt(composition, path.split('.'))) {
      if (typeof value.reference === 'string' && resolve(run, value) === null) report(run, 'reference-unresolved', say.notInDocument(value.reference), step, 'warning')
    }
  }
}

function valuesAt(holder: Json, [name = '', ...rest]: readonly string[], step = ''): { value: Json; step: string }[] {
  const found = Array.isArray(holder[name]) ? holder[name] : null
  const values = (found ?? [holder[name]]).flatMap((value, index) => (isJson(value) ? [{ value, step: `${step}.${name}${found ? `[${index}]` : ''}` }] : []))
  const below = name === 'section' ? values.flatMap((each) => valuesAt(each.value, [name, ...rest], each.step)) : []
  return [...rest.length > 0 ? values.flatMap((each) => valuesAt(each.value, rest, each.step)) : values, ...below]
}
