/**
 * `CodeSystem/$subsumes`: whether code A is above code B in the hierarchy of their code system, below it, the same, or neither.
 * Source: FHIR R4 CodeSystem § $subsumes.
 */
import type { Parameters } from '@medplum/fhirtypes'
import { withDescendants } from './compile-code-system.ts'
import { findSystem, findSystemById, type Source } from './library.ts'
import { assertAgrees, type Input, invalid, type Kind, missing, readInput, type TerminologyCall } from './operation-input.ts'
import * as say from './sentences.ts'
import type { Concept, System } from './shapes.ts'

const parameters: Readonly<Record<string, Kind>> = {
  codeA: 'text', codeB: 'text', system: 'text', version: 'text', codingA: 'coding', codingB: 'coding',
}

/** @throws OutcomeError `not-found` (system or code), `code-system-absent`, `parameter-invalid`. */
export async function subsumes(call: TerminologyCall, source: Source): Promise<{ resource: Parameters }> {
  const input = readInput(call, parameters)
  const system = await systemOf(call, input, source)
  const outcome = relation(concept(system, codeOf(input, 'A', system)), concept(system, codeOf(input, 'B', system)))
  return { resource: { resourceType: 'Parameters', parameter: [{ name: 'outcome', valueCode: outcome }] } }
}

export function relation(a: Concept, b: Concept): 'equivalent' | 'subsumes' | 'subsumed-by' | 'not-subsumed' {
  if (a === b) return 'equivalent'
  if (withDescendants(a).has(b)) return 'subsumes'
  return withDescendants(b).has(a) ? 'subsumed-by' : 'not-subsumed'
}

async function systemOf(call: TerminologyCall, input: Input, source: Source): Promise<System> {
  if (call.id !== null) {
    const system = await findSystemById(source, call.id)
    assertAgrees('system', input.text('system'), system.url)
    assertAgrees('version', input.text('version'), system.version)
    return system
  }
  const coding = input.coding('codingA') ?? input.coding('codingB')
  const url = input.text('system') ?? coding?.system
  if (!url) throw missing('system')
  return findSystem(source, url, input.text('version') ?? coding?.version ?? null)
}

function codeOf(input: Input, side: 'A' | 'B', system: System): string {
  const coding = input.coding(`coding${side}`)
  const plain = input.text(`code${side}`)
  if (coding && plain !== null) throw invalid(`code${side}`, null, `code${side} 和 coding${side} 只能给一个。`, `give code${side} or coding${side}, not both.`)
  const code = coding ? coding.code : plain
  if (!code) throw missing(`code${side}, coding${side}`)
  if (coding?.system !== undefined && coding.system !== system.url) {
    throw invalid(`coding${side}`, null, '两个编码应属于同一代码系统。', 'both codings must be of the same code system.')
  }
  return code
}

function concept(system: System, code: string): Concept {
  const found = system.find(code)
  if (!found) throw say.codeUnknown(system.url, code)
  return found
}
