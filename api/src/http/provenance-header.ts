/**
 * `X-Provenance`: a client says in a header where what it writes comes from, as a Provenance without `target`; records/attest.ts stores it with the write.
 * Source: FHIR R4 provenance.html#header; docs/decisions/0052-provenance-header.md.
 */
import type { Provenance } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { parseJson } from '../fhir/json.ts'
import { fail, OutcomeError } from '../fhir/outcome.ts'

const header = 'X-Provenance'
const utf8 = new TextDecoder('utf-8', { fatal: true })

export function hasProvenance(c: Context): boolean {
  return c.req.header(header) !== undefined
}

/** The statement of the request; null when it has none. Throws parameter-invalid. */
export function provenanceOf(c: Context): Provenance | null {
  const value = c.req.header(header)
  if (value === undefined) return null
  const said = parsed(value)
  if (said.target !== undefined) {
    throw fail('parameter-invalid', { zh: `${header} 中不能有 target：它由服务器填写。`, en: `${header} must not have a target: the server fills it in.` })
  }
  return said as Provenance
}

/** Where a request may not have one: what it would be about is not known there. */
export function provenanceMisplaced(): OutcomeError {
  return fail('parameter-invalid', {
    zh: `${header} 只用于 create、update、patch、delete 和 transaction。`, en: `${header} goes with create, update, patch, delete and transaction only.`,
  })
}

/** A header is bytes, and each is shown as a character: names are UTF-8 in it, or escaped. */
function parsed(value: string): Partial<Provenance> {
  try {
    const said = parseJson(utf8.decode(Buffer.from(value, 'latin1'))) as Partial<Provenance> | null
    if (said?.resourceType === 'Provenance') return said
  } catch (error) {
    if (!(error instanceof OutcomeError) && !(error instanceof TypeError)) throw error
  }
  throw fail('parameter-invalid', { zh: `${header} 应是一份 JSON 格式的 Provenance 资源（UTF-8，或用 \\u 转义）。`, en: `${header} must be a Provenance resource in JSON (UTF-8, or escaped with \\u).` })
}
