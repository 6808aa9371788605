/** What kinds of values a search parameter of a type finds, as its compiled expression says. */
import type { FhirModel } from '../../fhir/model.ts'
import { type Branch, compileSearchExpression } from '../../fhir/search-expression.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'

const compiled = new WeakMap<Pick<SearchParam, 'expression'>, Map<string, readonly Branch[]>>()

/** None for a parameter without an expression, or of a type that is not known. */
export function branchesOf(model: FhirModel, type: string, param: Pick<SearchParam, 'expression'>): readonly Branch[] {
  const ofParam = compiled.get(param) ?? new Map<string, readonly Branch[]>()
  compiled.set(param, ofParam)
  const known = ofParam.get(type)
  if (known) return known
  const structure = model.structures.get(type)
  const made = structure && param.expression ? compileSearchExpression(param.expression, structure, model.structures) : []
  ofParam.set(type, made)
  return made
}

const caseless: ReadonlySet<string> = new Set(['ContactPoint', 'string'])

/** Types whose values are texts of people: as tokens they are compared without case. Source: FHIR R4 3.1.1.4.10 (token, strings). */
export function isCaseless(type: string): boolean {
  return caseless.has(type)
}

const mediaTypes = 'http://hl7.org/fhir/ValueSet/mimetypes'

export function isMediaType({ required }: Pick<Branch, 'required'>): boolean {
  return required === mediaTypes
}

/** Media types a value is below: itself without parameters (`text/xml`), and the whole kind (`text`). */
export function broaderMediaTypes(value: string): string[] {
  const own = (value.split(';')[0] ?? '').trim().toLowerCase()
  const kind = own.split('/')[0] ?? ''
  return own === '' ? [] : [...new Set([own, kind])]
}

/** Name under which what is below a value is stored. No parameter is called so. */
export function belowCode(code: string): string {
  return `${code}:below`
}
