/**
 * Sensitive categories, and how an entry gets its label: by the code it carries, by the department it comes from, or because somebody
 * said so in `meta.security`. What was found is written into `meta.security` and, as bits, into column `labels`. Invariant: a bit is
 * never reused. Sources: HL7 v3 ActCode InformationSensitivityPolicy; docs/access.md, "Sensitive entries"; PIPL art. 28.
 */
import type { Coding, Resource } from '@medplum/fhirtypes'
import { notifiableOf } from './notifiable.ts'

export const sensitivitySystem = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const confidentialitySystem = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'

/** v3 ActCode: psychiatry, substance use, HIV, sexually transmitted, reproductive, genetic, domestic violence, a minor's own; then anything restricted. */
export const sensitiveLabels = ['PSY', 'SUD', 'HIV', 'STD', 'SEX', 'GDIS', 'SDV', 'ADOL', 'R'] as const
export type SensitiveLabel = (typeof sensitiveLabels)[number]

export const sensitiveBits = (1 << sensitiveLabels.length) - 1
/** A minor's own: closed to guardians of any age. */
export const adolescentBit = labelBit('ADOL')
/** The citizen has hidden this entry. */
export const hiddenBit = 1 << 16
/** May not be hidden from those who treat: allergies, blood group. */
export const unhideableBit = 1 << 17
/** A case that the law wants reported. */
export const statutoryBit = 1 << 18
/** Only of `care_relation.opens`: the relation holds although the citizen barred the caller. */
export const barredBit = 1 << 20
/** What break-glass opens. */
export const everyBit = sensitiveBits | hiddenBit | barredBit
/** How a row counts that has not been judged. */
export const unjudged = sensitiveBits | hiddenBit

export function labelBit(label: SensitiveLabel): number {
  return 1 << sensitiveLabels.indexOf(label)
}

export function labelsIn(bits: number): SensitiveLabel[] {
  return sensitiveLabels.filter((label) => (bits & labelBit(label)) !== 0)
}

/** Other v3 codes that mean one of ours. */
const synonyms: Readonly<Record<string, SensitiveLabel>> = { ETH: 'SUD', ETHUD: 'SUD', OPIOIDUD: 'SUD', PSYTHPN: 'PSY', MH: 'PSY', SICKLE: 'GDIS', VIO: 'SDV', SEXUALITY: 'SEX' }

interface CodeRule { label: SensitiveLabel; systems: RegExp; codes: RegExp }

const icd10 = /icd-?10/i
const rule = (label: SensitiveLabel, systems: RegExp, codes: RegExp): CodeRule => ({ label, systems, codes })

/** One row a category and code system. ICD-10 by its first three characters. */
const codeRules: readonly CodeRule[] = [
  rule('PSY', icd10, /^F(0\d|[2-9]\d)/), rule('SUD', icd10, /^F1\d/), rule('HIV', icd10, /^(B2[0-4]|Z21|R75)/), rule('STD', icd10, /^A(5\d|6[0-4])/),
  rule('SEX', icd10, /^(O0[4-8]|Z3[0-2]|N97|N46)/), rule('SDV', icd10, /^(T74|Y07)/), rule('GDIS', icd10, /^Z1[45]/),
  rule('HIV', /snomed/, /^(86406008|165816005|91947003)$/), rule('SUD', /snomed/, /^(7200002|191816009|5602001|66214007)$/),
  rule('PSY', /snomed/, /^(35489007|58214004|13746004|197480006|47505003|370143000|36923009)$/), rule('STD', /snomed/, /^(76272004|15628003|105629000)$/),
  rule('SEX', /snomed/, /^(386639001|8619003|57797005)$/), rule('SDV', /snomed/, /^(706893006|95930005)$/),
  rule('HIV', /loinc/, /^(7917-8|7918-6|56888-1|5220-9|29893-5|20447-9|25836-8|24013-5)$/), rule('STD', /loinc/, /^(20507-0|5292-8|22461-8|24110-9)$/),
  rule('GDIS', /loinc/, /^(51969-4|53041-0|55232-3)$/), rule('HIV', /whocc|atc/i, /^J05A(R|J|E0)/), rule('PSY', /whocc|atc/i, /^N0(5A|6A)/), rule('SUD', /whocc|atc/i, /^N07B[BC]/),
]

/** National department catalogue. */
const departmentLabels: readonly [prefix: string, label: SensitiveLabel][] = [['15.03', 'SUD'], ['15', 'PSY'], ['13.02', 'STD'], ['05.03', 'SEX'], ['05.05', 'SEX']]

/** ABO and Rh. */
const bloodGroup = /^(883-9|882-1|10331-7)$/

/** Looks at the text first: nearly no entry has such a code, and looking costs a microsecond. */
const suspicious = /"code":"(?:F\d\d|[AB]\d\d|Z[123]\d|R75|O0[4-8]|N97|N46|T74|Y07|J05A|J09|J1[01]|U07|N0[567]|\d{4,9}-\d|\d{7,9}")/

/**
 * Bits of an entry by itself.
 * @param content its stored text. @param department code of the department it comes from; null when unknown.
 */
export function labelsOf(resource: Resource, content: string, department: string | null): number {
  let bits = saidBits(resource) | departmentBits(department)
  if (resource.resourceType === 'AllergyIntolerance') bits |= unhideableBit
  if (!suspicious.test(content) || unlabelled.has(resource.resourceType)) return bits
  for (const { system, code } of codingsIn(resource)) {
    for (const each of codeRules) if (each.systems.test(system) && each.codes.test(code)) bits |= labelBit(each.label)
    if (resource.resourceType === 'Condition' && icd10.test(system) && notifiableOf(code) !== null) bits |= statutoryBit
    if (resource.resourceType === 'Observation' && bloodGroup.test(code)) bits |= unhideableBit
  }
  return bits
}

/** Types that name codes without saying anything of a person's health, or that everybody in care must see. */
const unlabelled: ReadonlySet<string> = new Set(['AllergyIntolerance', 'Patient', 'Coverage', 'Consent', 'CodeSystem', 'ValueSet', 'ConceptMap', 'StructureDefinition', 'ActivityDefinition', 'PlanDefinition'])

export function departmentBits(department: string | null): number {
  if (department === null) return 0
  return departmentLabels.reduce((bits, [prefix, label]) => (department === prefix || department.startsWith(`${prefix}.`) ? bits | labelBit(label) : bits), 0)
}

/** What `meta.security` says. */
function saidBits({ meta }: Resource): number {
  let bits = 0
  for (const { system, code } of meta?.security ?? []) {
    if (code === undefined) continue
    if (system === confidentialitySystem && (code === 'R' || code === 'V')) bits |= labelBit('R')
    const label = synonyms[code] ?? sensitiveLabels.find((each) => each === code && each !== 'R')
    if (system === sensitivitySystem && label !== undefined) bits |= labelBit(label)
  }
  return bits
}

/** The resource with a `meta.security` that says its labels; the same object when it does already. */
export function withLabels<T extends Resource>(resource: T, bits: number): T {
  const missing = labelsIn(bits & ~saidBits(resource)).filter((label) => label !== 'R')
  if (missing.length === 0) return resource
  const security: Coding[] = [...resource.meta?.security ?? [], ...missing.map((code) => ({ system: sensitivitySystem, code }))]
  return { ...resource, meta: { ...resource.meta, security } }
}

function* codingsIn(value: unknown): Generator<{ system: string; code: string }> {
  if (Array.isArray(value)) {
    for (const each of value) yield* codingsIn(each)
  } else if (typeof value === 'object' && value !== null) {
    const { system, code } = value as Record<string, unknown>
    if (typeof system === 'string' && typeof code === 'string') yield { system, code }
    for (const [name, each] of Object.entries(value)) if (typeof each === 'object' && name !== 'meta') yield* codingsIn(each)
  }
}
