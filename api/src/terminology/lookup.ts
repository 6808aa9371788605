/**
 * `CodeSystem/$lookup`: what is known about one code: its display, designations, properties, parents and children.
 * Source: FHIR R4 CodeSystem § $lookup; the properties of every system are definition, parent, child, inactive, notSelectable.
 */
import type { CodeSystemConceptDesignation, Parameters, ParametersParameter } from '@medplum/fhirtypes'
import { asMember, displayOf, languageWanted, shownDesignations } from './display.ts'
import { findSystem, findSystemById, type Source } from './library.ts'
import { assertAgrees, invalid, type Input, type Kind, missing, readInput, type TerminologyCall } from './operation-input.ts'
import * as say from './sentences.ts'
import type { Concept, System } from './shapes.ts'

const parameters: Readonly<Record<string, Kind>> = {
  code: 'text', system: 'text', version: 'text', coding: 'coding', displayLanguage: 'text', property: 'text*',
}

/** @throws OutcomeError `not-found` (system or code), `code-system-absent`, `parameter-invalid`. */
export async function lookup(call: TerminologyCall, source: Source): Promise<{ resource: Parameters }> {
  const input = readInput(call, parameters)
  const { system, code } = await subject(call, input, source)
  const concept = system.find(code)
  if (!concept) throw say.codeUnknown(system.url, code)
  const member = asMember(concept, system.language)
  const display = displayOf(member, languageWanted(input.text('displayLanguage'), call.ctx))
  const asked = input.texts('property')
  return {
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'name', valueString: system.name },
        ...(system.version === null ? [] : [{ name: 'version', valueString: system.version }]),
        { name: 'display', valueString: display },
        ...shownDesignations(member, display).filter((each) => isAsked(each, asked)).map(designationPart),
        ...propertiesOf(concept).filter((each) => asked.length === 0 || asked.includes(each.name)).map(({ name, value }) => (
          { name: 'property', part: [{ name: 'code', valueCode: name }, { name: 'value', ...value }] }
        )),
      ],
    },
  }
}

async function subject(call: TerminologyCall, input: Input, source: Source): Promise<{ system: System; code: string }> {
  const coding = input.coding('coding')
  if (coding && input.has('code')) throw invalid('code', null, 'code 和 coding 只能给一个。', 'give code or coding, not both.')
  const code = coding ? coding.code : input.text('code')
  if (!code) throw missing('code, coding')
  if (call.id !== null) {
    const system = await findSystemById(source, call.id)
    assertAgrees('system', input.text('system'), system.url)
    assertAgrees('coding', coding?.system, system.url)
    assertAgrees('version', coding?.version ?? input.text('version'), system.version)
    return { system, code }
  }
  const url = coding ? coding.system : input.text('system')
  if (!url) throw missing(coding ? 'coding.system' : 'system')
  return { system: await findSystem(source, url, coding?.version ?? input.text('version')), code }
}

/** Named properties choose designations too: all with `designation`, those of a language with `lang.zh`. */
function isAsked({ language }: CodeSystemConceptDesignation, asked: readonly string[]): boolean {
  return asked.length === 0 || asked.includes('designation') || (language !== undefined && asked.includes(`lang.${language}`))
}

function designationPart({ language, use, value }: CodeSystemConceptDesignation): ParametersParameter {
  return {
    name: 'designation',
    part: [
      ...(language ? [{ name: 'language', valueCode: language }] : []),
      ...(use ? [{ name: 'use', valueCoding: use }] : []),
      { name: 'value', valueString: value ?? '' },
    ],
  }
}

interface Property { name: string; value: Partial<ParametersParameter> }

const computed: readonly string[] = ['parent', 'child', 'inactive', 'notSelectable']

function propertiesOf(concept: Concept): Property[] {
  const own = concept.properties.filter((each) => !computed.includes(each.code ?? ''))
  return [
    ...(concept.definition === null ? [] : [{ name: 'definition', value: { valueString: concept.definition } }]),
    ...concept.parents.map((each) => ({ name: 'parent', value: { valueCode: each.code } })),
    ...concept.children.map((each) => ({ name: 'child', value: { valueCode: each.code } })),
    { name: 'inactive', value: { valueBoolean: concept.inactive } },
    ...(concept.abstract ? [{ name: 'notSelectable', value: { valueBoolean: true } }] : []),
    ...own.map(({ code, ...value }) => ({ name: code ?? '', value: value as Partial<ParametersParameter> })),
  ]
}
