/**
 * `CodeSystem/$validate-code` and `ValueSet/$validate-code`: whether a code, a Coding or one coding of a CodeableConcept is in,
 * and whether it is called by one of its names. `result` false comes with a message in the reader's language, and with the
 * right display where the code is in. Source: FHIR R4 CodeSystem and ValueSet § $validate-code.
 */
import type { Coding, Parameters } from '@medplum/fhirtypes'
import { OutcomeError, type Sentence } from '../fhir/outcome.ts'
import { compileCodeSystem } from './compile-code-system.ts'
import { asMember, displayOf, isNameOf, languageWanted } from './display.ts'
import { valueSetOf } from './expand.ts'
import { compile, findSystem, findSystemById, type Source } from './library.ts'
import { assertAgrees, type Input, invalid, type Kind, missing, readInput, type TerminologyCall } from './operation-input.ts'
import { readSentCodeSystem } from './read-sent.ts'
import * as say from './sentences.ts'
import type { Member, System } from './shapes.ts'

interface Verdict { result: boolean; text: Sentence | null; display: string | null }
type Named = Pick<Member, 'concept' | 'display' | 'designations' | 'language'>

const shared: Readonly<Record<string, Kind>> = {
  url: 'text', code: 'text', display: 'text', coding: 'coding', codeableConcept: 'concept', abstract: 'flag', displayLanguage: 'text',
}

/** @throws OutcomeError `not-found` (the value set), `code-system-absent`, `too-costly`, `value-invalid`, `parameter-invalid`. */
export async function validateInSet(call: TerminologyCall, source: Source): Promise<{ resource: Parameters }> {
  const input = readInput(call, { ...shared, system: 'text', systemVersion: 'text', valueSet: 'resource', valueSetVersion: 'text' })
  const codings = codingsOf(input, input.text('system'), input.text('systemVersion'))
  const set = await compile(source, await valueSetOf(call, input, source))
  const language = languageWanted(input.text('displayLanguage'), call.ctx)
  return answer(call, judgeAll(codings, (coding) => {
    const member = set.find(coding.system ?? null, coding.code ?? '')
    if (!member) return { result: false, text: say.notInSetText(set.url, coding.code ?? ''), display: null }
    if (coding.version && member.version !== null && coding.version !== member.version) {
      return { result: false, text: say.wrongVersionText(member.system, coding.version, member.version), display: displayOf(member, language) }
    }
    return judgeName(member, coding, input, language)
  }))
}

/** @throws OutcomeError `not-found` (the code system), `code-system-absent`, `parameter-invalid`. */
export async function validateInSystem(call: TerminologyCall, source: Source): Promise<{ resource: Parameters }> {
  const input = readInput(call, { ...shared, codeSystem: 'resource', version: 'text' })
  const codings = codingsOf(input, null, null)
  const system = await systemOf(call, input, codings, source)
  const language = languageWanted(input.text('displayLanguage'), call.ctx)
  return answer(call, judgeAll(codings, (coding) => {
    const code = coding.code ?? ''
    if (coding.system !== undefined && coding.system !== system.url) return { result: false, text: say.otherSystemText(coding.system, system.url), display: null }
    const concept = system.find(code)
    // Of a part of a code system it can not be told what the whole does not have.
    if (!concept && !system.complete) throw say.systemAbsent(system.url)
    if (!concept) return { result: false, text: say.unknownCodeText(system.url, code), display: null }
    return judgeName(asMember(concept, system.language), coding, input, language)
  }))
}

/** The codes that are asked about; exactly one of the three ways must be used. */
function codingsOf(input: Input, system: string | null, version: string | null): Coding[] {
  const ways = ['code', 'coding', 'codeableConcept'].filter((name) => input.has(name))
  if (ways.length === 0) throw missing('code, coding, codeableConcept')
  if (ways.length > 1) throw invalid(ways[1] as string, null, 'code、coding、codeableConcept 只能给一个。', 'give one of code, coding and codeableConcept.')
  const code = input.text('code')
  const display = input.text('display')
  if (code === null && display !== null) throw invalid('display', null, '只能与 code 一起使用。', 'it goes with code only.')
  if (code === null) return [input.coding('coding') ?? input.concept('codeableConcept')?.coding ?? []].flat().filter((each) => each.code !== undefined)
  return [{ code, ...(system === null ? {} : { system }), ...(version === null ? {} : { version }), ...(display === null ? {} : { display }) }]
}

async function systemOf(call: TerminologyCall, input: Input, codings: readonly Coding[], source: Source): Promise<System> {
  const sent = input.resource('codeSystem')
  if (sent !== null) {
    const codeSystem = readSentCodeSystem(sent)
    if (codeSystem.resourceType === 'CodeSystem' && codeSystem.url) return agreeing(input, compileCodeSystem(codeSystem))
    throw invalid('codeSystem', null, '应为带有地址的 CodeSystem 资源。', 'it must be a CodeSystem with a url.')
  }
  if (call.id !== null) return agreeing(input, await findSystemById(source, call.id))
  const first = codings.find((each) => each.system !== undefined)
  const url = input.text('url') ?? first?.system
  if (url === undefined) throw missing('url')
  return findSystem(source, url, input.text('version') ?? first?.version ?? null)
}

function agreeing(input: Input, system: System): System {
  assertAgrees('url', input.text('url'), system.url)
  assertAgrees('version', input.text('version'), system.version)
  return system
}

/** One good coding is enough; where none is good, the verdict is of the one that came closest, else of the first. */
function judgeAll(codings: readonly Coding[], judge: (coding: Coding) => Verdict): Verdict {
  let unsure: unknown = null
  const verdicts: Verdict[] = []
  for (const coding of codings) {
    try {
      verdicts.push(judge(coding))
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      unsure = error
    }
  }
  const good = verdicts.find((each) => each.result)
  if (good) return good
  if (unsure !== null) throw unsure
  return verdicts.find((each) => each.display !== null) ?? verdicts[0] ?? { result: false, text: say.noCodingText(), display: null }
}

function judgeName(member: Named, coding: Coding, input: Input, language: string | null): Verdict {
  const { code } = member.concept
  const display = displayOf(member, language)
  if (member.concept.abstract && input.flag('abstract') === false) return { result: false, text: say.abstractText(code), display }
  if (coding.display !== undefined && !isNameOf(member, coding.display)) return { result: false, text: say.wrongDisplayText(code, coding.display, display), display }
  return { result: true, text: null, display }
}

function answer(call: TerminologyCall, { result, text, display }: Verdict): { resource: Parameters } {
  return {
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'result', valueBoolean: result },
        ...(text === null ? [] : [{ name: 'message', valueString: text[call.ctx.language] }]),
        ...(display === null ? [] : [{ name: 'display', valueString: display }]),
      ],
    },
  }
}
