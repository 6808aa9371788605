/** What is wrong with a patch: always with the number of the operation, so that the sender finds it. */
import { fail, type OutcomeError, type Sentence } from '../../fhir/outcome.ts'

/** Where a patch stands in the request, such as `Bundle.entry[3].resource`; null for the whole body. */
export interface PatchPlace { operation(index: number): string }

export function jsonPatchPlace(path: string | null): PatchPlace {
  return { operation: (index) => `${path === null ? '' : `${path}.`}operation[${index}]` }
}

export function parametersPlace(path: string | null): PatchPlace {
  return { operation: (index) => `${path ?? 'Parameters'}.parameter[${index}]` }
}

/** The patch is no patch: 400. */
export function invalid(place: PatchPlace, index: number, text: Sentence): OutcomeError {
  return fail('patch-invalid', numbered(index, text), place.operation(index))
}

/** The patch does not fit the resource as it is: 422. */
export function failed(place: PatchPlace, index: number, text: Sentence): OutcomeError {
  return fail('patch-failed', numbered(index, text), place.operation(index))
}

function numbered(index: number, text: Sentence): Sentence {
  return { zh: `第 ${index} 项操作：${text.zh}`, en: `Operation ${index}: ${text.en}` }
}
