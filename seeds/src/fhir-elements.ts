/**
 * Small pieces of FHIR that the whole city shares: codings with an English twin, references with a display, names.
 * Invariant: every Chinese text a person reads carries its English as the standard translation extension.
 */
import { concept, english, reference } from '@pujiang/api/booking/fhir-names.ts'
import type { Named } from '@pujiang/api/booking/shapes.ts'
import type { ResourceType } from '@pujiang/api/fhir/resource-types.ts'

/** A generated resource. (The published R4 typings lack the underscore siblings, so the validator judges the rest.) */
export interface Made { resourceType: ResourceType; id: string; [element: string]: unknown }

const base = 'https://pujiang.health/fhir'
export const systems = {
  hospitalLevel: `${base}/CodeSystem/hospital-level`,
  region: `${base}/CodeSystem/region`,
  scheme: `${base}/CodeSystem/insurance-scheme`,
  personType: `${base}/CodeSystem/person-type`,
  chargeItem: `${base}/CodeSystem/charge-item`,
  episodeType: `${base}/CodeSystem/episode-type`,
  department: `${base}/CodeSystem/department`,
  title: `${base}/CodeSystem/practitioner-title`,
  icd10: 'http://hl7.org/fhir/sid/icd-10',
  loinc: 'http://loinc.org',
  ucum: 'http://unitsofmeasure.org',
  atc: 'http://www.whocc.no/atc',
  cvx: 'http://hl7.org/fhir/sid/cvx',
  organizationType: 'http://terminology.hl7.org/CodeSystem/organization-type',
  observationCategory: 'http://terminology.hl7.org/CodeSystem/observation-category',
  interpretation: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
  diagnosticService: 'http://terminology.hl7.org/CodeSystem/v2-0074',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  roleCode: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode',
  maritalStatus: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus',
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  conditionVerification: 'http://terminology.hl7.org/CodeSystem/condition-ver-status',
  conditionCategory: 'http://terminology.hl7.org/CodeSystem/condition-category',
  allergyClinical: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical',
  allergyVerification: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification',
} as const

export const extensionUrls = {
  region: `${base}/StructureDefinition/region`,
  insurerLevel: `${base}/StructureDefinition/insurer-level`,
  ethnicGroup: `${base}/StructureDefinition/ethnic-group`,
  insuredRegion: `${base}/StructureDefinition/insured-region`,
  expertise: `${base}/StructureDefinition/expertise`,
} as const

export const identifierSystems = {
  residentId: 'urn:oid:2.16.156.10011.1.3',
  recordNumber: 'urn:oid:2.16.156.10011.1.2',
  socialCard: 'urn:x-sh:ssc',
  institution: 'urn:oid:2.16.156.10011.1.5',
  insurerInstitution: `${base}/sid/institution-code`,
  staff: 'urn:oid:2.16.156.10011.1.4',
} as const

export { concept, english, reference }

/** A concept of a terminology that needs no Chinese text of its own: code and display as published. */
export function code(system: string, value: string): { coding: { system: string; code: string }[] } {
  return { coding: [{ system, code: value }] }
}

/** A concept as the many entries of a record carry it: its English stands once, beside the text. */
export function entryConcept(system: string, value: string, name: Named): unknown {
  return { coding: [{ system, code: value, display: name.zh }], text: name.zh, _text: english(name.en) }
}

/** A coded word of the record's own vocabulary, such as a category; readers know these codes in both languages. */
export function word(system: string, value: string, zh: string): unknown {
  return { coding: [{ system, code: value, display: zh }] }
}

/** Someone's name in characters and in pinyin. */
export interface PersonName { zh: string; en: string; family: string; given: string; familyPinyin: string; givenPinyin: string }

const representation = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'

/** HumanName: the official one in characters (IDE), beside it the same in pinyin (SYL). */
export function humanNames(name: PersonName): unknown[] {
  return [
    { extension: [{ url: representation, valueCode: 'IDE' }], use: 'official', text: name.zh, family: name.family, given: [name.given] },
    { extension: [{ url: representation, valueCode: 'SYL' }], text: name.en, family: name.familyPinyin, given: [name.givenPinyin] },
  ]
}

export interface Place { street: Named; district: Named & { code: string } }

export function addressOf(place: Place): unknown {
  const zh = `上海市${place.district.zh}${place.street.zh}`
  return {
    extension: [{ url: extensionUrls.region, valueCoding: { system: systems.region, code: place.district.code, display: place.district.zh } }],
    text: zh, _text: english(`${place.street.en}, ${place.district.en}, Shanghai`),
    line: [place.street.zh], city: '上海市', district: place.district.zh, _district: english(place.district.en), country: 'CN',
  }
}
