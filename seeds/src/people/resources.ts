/**
 * A citizen as resources: Patient, family links, insurance. Invariant: a link to another member is made with the one of the
 * two who has the higher number, so every reference points to somebody who is already there.
 */
import type { Named } from '@pujiang/api/booking/shapes.ts'
import { type Day, dayText, instantMs } from '../calendar.ts'
import { agencies, type Hospital } from '../directory/hospitals.ts'
import { addressOf, code, concept, english, extensionUrls, humanNames, identifierSystems, type Made, reference, systems } from '../fhir-elements.ts'
import type { Random } from '../random.ts'
import { parentsOf, type Person } from './households.ts'
import type { Insurance } from './insurance.ts'

const maritalNames: Readonly<Record<Person['marital'], Named>> = {
  S: { zh: '未婚', en: 'Never married' }, M: { zh: '已婚', en: 'Married' }, W: { zh: '丧偶', en: 'Widowed' },
}

export function patientResource(person: Person, insurance: Insurance | null, centre: Hospital): Made {
  return {
    resourceType: 'Patient', id: person.id, active: true,
    extension: [{ url: extensionUrls.ethnicGroup, valueCoding: { system: 'urn:oid:2.16.156.10011.2.3.3.3', code: person.ethnicGroup.code, display: person.ethnicGroup.zh, _display: english(person.ethnicGroup.en) } }],
    identifier: [
      { use: 'official', system: identifierSystems.residentId, value: person.residentId },
      { use: 'secondary', system: identifierSystems.recordNumber, value: person.recordNumber },
      { use: 'secondary', system: identifierSystems.socialCard, value: person.socialCard },
      ...(insurance ? [{ use: 'secondary', system: `urn:x-nhsa:psn_no:${insurance.region}`, value: insurance.psnNo }] : []),
    ],
    name: humanNames(person.name),
    ...(person.phone ? { telecom: [{ system: 'phone', value: person.phone, use: 'mobile' }] } : {}),
    gender: person.sex, birthDate: dayText(person.birth),
    address: [{ ...(addressOf(person.household.place) as object), use: 'home' }],
    maritalStatus: concept(systems.maritalStatus, person.marital, maritalNames[person.marital]),
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'zh-CN', display: '中文' }] }, preferred: true }],
    managingOrganization: reference(`Organization/${centre.id}`, centre.name),
  }
}

/** v3 RoleCode of the second person as seen from the first. */
export type Relationship = 'MTH' | 'FTH' | 'SON' | 'DAU' | 'HUSB' | 'WIFE'

const relationshipNames: Readonly<Record<Relationship, Named>> = {
  MTH: { zh: '母亲', en: 'Mother' }, FTH: { zh: '父亲', en: 'Father' }, SON: { zh: '儿子', en: 'Son' }, DAU: { zh: '女儿', en: 'Daughter' },
  HUSB: { zh: '丈夫', en: 'Husband' }, WIFE: { zh: '妻子', en: 'Wife' },
}

/** Pairs of household members known once `person` is there: [whose record, who is related, how]. */
export function familyLinks(person: Person): { patient: Person; relative: Person; relationship: Relationship }[] {
  const { members } = person.household
  const first = members[0] as Person
  const links: { patient: Person; relative: Person; relationship: Relationship }[] = []
  const both = (one: Person, other: Person, otherIs: Relationship, oneIs: Relationship): void => {
    links.push({ patient: one, relative: other, relationship: otherIs }, { patient: other, relative: one, relationship: oneIs })
  }
  if (person.kin === 'spouse') both(person, first, first.sex === 'male' ? 'HUSB' : 'WIFE', person.sex === 'male' ? 'HUSB' : 'WIFE')
  for (const parent of parentsOf(person)) both(person, parent, parent.sex === 'male' ? 'FTH' : 'MTH', person.sex === 'male' ? 'SON' : 'DAU')
  if (person.kin === 'parent') both(person, first, first.sex === 'male' ? 'SON' : 'DAU', person.sex === 'male' ? 'FTH' : 'MTH')
  return links
}

export function relatedPersonResource(random: Random, link: { patient: Person; relative: Person; relationship: Relationship }, today: Day): Made {
  const { patient, relative } = link
  return {
    resourceType: 'RelatedPerson', id: random.id(instantMs(today - 400, 600), patient.shard), active: true,
    patient: { reference: `Patient/${patient.id}` },
    identifier: [{ system: identifierSystems.residentId, value: relative.residentId }],
    relationship: [concept(systems.roleCode, link.relationship, relationshipNames[link.relationship])],
    name: humanNames(relative.name), gender: relative.sex, birthDate: dayText(relative.birth),
    ...(relative.phone ? { telecom: [{ system: 'phone', value: relative.phone, use: 'mobile' }] } : {}),
  }
}

const schemeNames: Readonly<Record<310 | 390, Named>> = {
  310: { zh: '职工基本医疗保险', en: 'Employee basic medical insurance' }, 390: { zh: '城乡居民基本医疗保险', en: 'Resident basic medical insurance' },
}
const personTypeNames: Readonly<Record<number, Named>> = {
  11: { zh: '在职', en: 'Working' }, 12: { zh: '退休', en: 'Retired' }, 1401: { zh: '成年居民', en: 'Adult resident' },
  1402: { zh: '中小学生和婴幼儿', en: 'Child' }, 1403: { zh: '大学生', en: 'Student' }, 1404: { zh: '60岁以上居民', en: 'Resident aged 60 and over' },
}
const regionNames: Readonly<Record<string, Named>> = { '310000': { zh: '上海市', en: 'Shanghai' }, '320500': { zh: '苏州市', en: 'Suzhou' } }

export function coverageResource(random: Random, person: Person, insurance: Insurance): Made {
  const agency = agencies.find((each) => each.region === insurance.region) as (typeof agencies)[number]
  const personType = personTypeNames[insurance.personType] as Named
  return {
    resourceType: 'Coverage', id: random.id(instantMs(insurance.from, 480), person.shard), status: 'active',
    extension: [{ url: extensionUrls.insuredRegion, valueCoding: { system: systems.region, code: insurance.region, display: regionNames[insurance.region]?.zh } }],
    identifier: [{ system: `urn:x-nhsa:psn_no:${insurance.region}`, value: insurance.psnNo }],
    type: concept(systems.scheme, String(insurance.scheme), schemeNames[insurance.scheme]),
    subscriberId: insurance.psnNo, beneficiary: { reference: `Patient/${person.id}` },
    relationship: code('http://terminology.hl7.org/CodeSystem/subscriber-relationship', 'self'),
    period: { start: dayText(insurance.from) },
    payor: [reference(`Organization/${agency.id}`, agency.name)],
    class: [{ type: code('http://terminology.hl7.org/CodeSystem/coverage-class', 'plan'), value: String(insurance.personType), name: personType.zh, _name: english(personType.en) }],
    order: 1,
  }
}
