/**
 * Who may do what with which kind of entry, as a privacy officer reads it. Every FHIR type belongs to one kind. docs/access-matrix.md is printed
 * from these tables, api/test/access/matrix.test.ts asks the rules and their SQL twin for every type and the running platform for one type of
 * each kind; the tables are not derived from the rules, but what the rules must come to.
 */
import { type ResourceType, resourceTypes } from '../fhir/resource-types.ts'

/** What the caller is to the patient, and what the entry is. `short` is a column's head. */
export const situations = {
  'own': { zh: '本人的档案', en: 'the caller\'s own record' },
  'related': { zh: '有关系的患者，本院的记录', en: 'a patient the caller has to do with; an entry of the caller\'s hospital' },
  'elsewhere': { zh: '有关系的患者，别院的记录', en: 'such a patient; an entry of another hospital' },
  'past': { zh: '关系已结束，本院的记录', en: 'the relation is over; an entry of the caller\'s hospital' },
  'unrelated': { zh: '无关的患者', en: 'a patient the caller has nothing to do with' },
  'hidden': { zh: '有关系，但市民隐藏了这条', en: 'related, but the citizen hid the entry' },
  'sensitive': { zh: '有关系，别的科室的敏感内容', en: 'related; a sensitive entry of another department' },
  'treating': { zh: '有关系，本科室的敏感内容', en: 'related; a sensitive entry of the caller\'s department' },
  'minor': { zh: '有关系，未成年人自己的内容', en: 'related; an entry that is a minor\'s own' },
  'barred': { zh: '市民不让看，别院的记录', en: 'the citizen keeps the caller out; an entry of another hospital' },
  'barred-own': { zh: '市民不让看，本院的记录', en: 'the citizen keeps the caller out; an entry of the caller\'s hospital' },
  'notifiable': { zh: '无关的患者，法定报告的病例', en: 'an unrelated patient; a case the law wants reported' },
} as const
export type Situation = keyof typeof situations
export const situationNames = Object.keys(situations) as Situation[]

/** Kinds of entries of a record. Within a kind everybody has the same rights for every type. The first type stands for it over HTTP. */
export const recordKinds = {
  particulars: { zh: '基本信息', en: 'particulars', types: ['Patient'] },
  bookings: { zh: '预约', en: 'bookings', types: ['Appointment', 'AppointmentResponse'] },
  people: { zh: '家属与团队', en: 'family and teams', types: ['CareTeam', 'Group', 'Person', 'RelatedPerson'] },
  diagnoses: { zh: '诊断', en: 'diagnoses', types: ['Condition'] },
  allergies: { zh: '过敏', en: 'allergies', types: ['AllergyIntolerance'] },
  medicines: { zh: '用药、膳食、配镜与计划', en: 'medicines, diets, glasses and plans', types: ['MedicationRequest', 'AdverseEvent', 'CarePlan', 'FamilyMemberHistory', 'Flag', 'Goal', 'MedicationAdministration', 'MedicationDispense', 'MedicationStatement', 'NutritionOrder', 'RiskAssessment', 'VisionPrescription'] },
  aids: { zh: '器械使用与用药警示', en: 'devices in use, alerts', types: ['DetectedIssue', 'DeviceUseStatement'] },
  results: { zh: '检验检查', en: 'results', types: ['Observation', 'DiagnosticReport', 'ImagingStudy', 'Specimen'] },
  media: { zh: '照片与录像', en: 'pictures and films', types: ['Media'] },
  material: { zh: '身体部位与基因序列', en: 'body sites and sequences', types: ['BodyStructure', 'MolecularSequence'] },
  visits: { zh: '就诊与操作', en: 'visits and procedures', types: ['Encounter', 'Procedure', 'Provenance', 'ServiceRequest', 'Task'] },
  messages: { zh: '消息与物资', en: 'messages and supplies', types: ['Communication', 'CommunicationRequest', 'DeviceRequest', 'EpisodeOfCare', 'List', 'RequestGroup', 'SupplyDelivery', 'SupplyRequest'] },
  notes: { zh: '病历全文', en: 'notes', types: ['DocumentReference', 'ClinicalImpression', 'Composition', 'QuestionnaireResponse'] },
  papers: { zh: '其他文书', en: 'other papers', types: ['Basic', 'DocumentManifest'] },
  vaccinations: { zh: '接种', en: 'vaccinations', types: ['Immunization'] },
  schedule: { zh: '接种评估与建议', en: 'vaccination advice', types: ['ImmunizationEvaluation', 'ImmunizationRecommendation'] },
  charges: { zh: '收费明细', en: 'charges', types: ['ChargeItem'] },
  bills: { zh: '账单与结算', en: 'bills and claims', types: ['Claim', 'ClaimResponse', 'ExplanationOfBenefit', 'Invoice'] },
  accounts: { zh: '账户', en: 'accounts', types: ['Account'] },
  coverage: { zh: '参保', en: 'insurance', types: ['Coverage', 'CoverageEligibilityRequest', 'CoverageEligibilityResponse', 'EnrollmentRequest'] },
  measures: { zh: '指标报告', en: 'measures', types: ['MeasureReport'] },
  choices: { zh: '授权', en: 'choices', types: ['Consent'] },
  studies: { zh: '研究与日志', en: 'research, log', types: ['AuditEvent', 'ResearchSubject'] },
} as const satisfies Record<string, { zh: string; en: string; types: readonly ResourceType[] }>
export type RecordKind = keyof typeof recordKinds
export const kindNames = Object.keys(recordKinds) as RecordKind[]

/** Kinds outside any record; no situation makes a difference to them. `systems` is every type that is named nowhere here. */
const directoryTypes = [
  'ActivityDefinition', 'CapabilityStatement', 'ChargeItemDefinition', 'CodeSystem', 'CompartmentDefinition', 'ConceptMap', 'HealthcareService', 'ImplementationGuide', 'InsurancePlan',
  'Location', 'NamingSystem', 'OperationDefinition', 'Organization', 'OrganizationAffiliation', 'Practitioner', 'PractitionerRole', 'Questionnaire', 'Schedule', 'SearchParameter', 'Slot',
  'StructureDefinition', 'StructureMap', 'ValueSet',
] as const satisfies readonly ResourceType[]
const catalogueTypes = ['Medication', 'MedicationKnowledge', 'PlanDefinition', 'Substance', 'Device'] as const satisfies readonly ResourceType[]
const named: ReadonlySet<ResourceType> = new Set<ResourceType>([...kindNames.flatMap((kind) => [...recordKinds[kind].types]), ...directoryTypes, ...catalogueTypes])
export const otherKinds = {
  directory: { zh: '公开目录', en: 'public directory', types: directoryTypes as readonly ResourceType[] },
  catalogue: { zh: '药品与器械目录', en: 'catalogues for staff', types: catalogueTypes as readonly ResourceType[] },
  systems: { zh: '系统之间的内容', en: 'between systems', types: resourceTypes.filter((type) => !named.has(type)) },
} as const
export type OtherKind = keyof typeof otherKinds

/** Callers of the tables; `author` is the clinician who wrote the entry, `relative` was given diagnoses and visits. */
export const matrixCallers = {
  'citizen': { zh: '市民', en: 'citizen' }, 'guardian': { zh: '14 岁以下孩子的监护人', en: 'guardian of a child under 14' }, 'guardian-14': { zh: '14 至 17 岁孩子的监护人', en: 'guardian of a child of 14 to 17' },
  'relative': { zh: '授权的家人（诊断、就诊）', en: 'authorized relative (diagnoses, visits)' }, 'clinician': { zh: '诊疗医生', en: 'treating clinician' }, 'author': { zh: '写这条记录的诊疗医生', en: 'treating clinician who wrote the entry' },
  'gp': { zh: '签约家庭医生', en: 'contracted GP' }, 'emergency': { zh: '紧急调阅的医生', en: 'clinician with emergency access' }, 'scheduler': { zh: '挂号收费处', en: 'registration and cashier' },
  'insurer': { zh: '医保经办', en: 'insurance officer' }, 'public-health': { zh: '疾控人员', en: 'public-health officer' }, 'admin-system': { zh: '系统管理员', en: 'system administrator' },
  'admin-security': { zh: '安全管理员', en: 'security administrator' }, 'admin-audit': { zh: '审计管理员', en: 'audit administrator' }, 'hospital-system': { zh: '医院的系统', en: 'system of a hospital' },
  'region-system': { zh: '区域的系统（所辖医院）', en: 'system of a region (its hospitals)' }, 'city-system': { zh: '全市的系统', en: 'system of the whole city' },
  'citizen-app': { zh: '市民打开的应用（只读）', en: 'app of a citizen (reading)' }, 'app': { zh: '医生打开的应用（只读检验）', en: 'app of a clinician (laboratory results only)' }, 'anonymous': { zh: '未登录', en: 'not signed in' },
} as const satisfies Record<string, { zh: string; en: string }>
export type MatrixCaller = keyof typeof matrixCallers
export const callerNames = Object.keys(matrixCallers) as MatrixCaller[]

type Row = Partial<Record<Situation, string>>

const everything = kindNames.join(' ')
const clinical = 'particulars bookings people diagnoses allergies medicines aids results media material visits messages notes papers vaccinations schedule charges'
/** What a clinician writes. */
const written = 'diagnoses allergies medicines results media visits notes vaccinations charges'
const desk = 'bookings charges bills accounts'
const insurance = 'particulars bills coverage'
/** Of a child of fourteen: particulars, diagnoses and medicines, visits, vaccinations. */
const from14 = 'particulars bookings people diagnoses allergies medicines aids visits messages vaccinations schedule'
const given = 'particulars bookings people diagnoses allergies medicines aids visits messages'
const asked = 'bookings choices'

/** The particulars come from no hospital: whom the citizen keeps out has them no more, and with a label they are of no department. */
const ofNoHospital = (kinds: string) => kinds.replace('particulars ', '')
const treating = (kinds: string, barred: string): Row => ({ 'related': kinds, 'elsewhere': kinds, 'treating': ofNoHospital(kinds), 'barred': barred, 'barred-own': ofNoHospital(kinds) })
const wrote = (kinds: string): Row => ({ hidden: kinds, sensitive: kinds, treating: kinds, minor: kinds })
const inEvery = (kinds: string, ...but: Situation[]): Row => Object.fromEntries(situationNames.filter((each) => !but.includes(each)).map((each) => [each, kinds]))
const family = (kinds: string, sensitive: string): Row => ({ 'related': kinds, 'elsewhere': kinds, 'barred': kinds, 'barred-own': kinds, 'hidden': sensitive, 'sensitive': sensitive, 'treating': sensitive })
/** Entries of the caller's own hospitals, and the particulars of their patients. */
const ofHospitals: Row = { ...inEvery('particulars', 'own', 'unrelated', 'notifiable'), 'related': everything, 'past': ofNoHospital(everything), 'treating': everything, 'barred-own': everything }

/** Kinds that are read in each situation. What is not named is not there for the caller: not by id, version, history, search, chain, `_has`, include, count, `$everything`, `$export`. */
export const readable: Readonly<Record<MatrixCaller, Row>> = {
  'citizen': { own: everything }, 'guardian': family(everything, everything), 'guardian-14': family(from14, ''), 'relative': family(given, ''),
  'clinician': treating(clinical, 'allergies'), 'gp': treating(clinical, 'allergies'), 'author': { ...treating(clinical, 'allergies'), ...wrote(clinical) },
  'emergency': inEvery(clinical, 'own'),
  'scheduler': { ...inEvery('particulars', 'own', 'unrelated', 'notifiable'), 'related': `particulars ${desk}`, 'past': desk, 'treating': `particulars ${desk}`, 'barred-own': `particulars ${desk}` },
  'insurer': inEvery(insurance, 'own', 'past', 'unrelated', 'notifiable'),
  'public-health': { notifiable: 'diagnoses' },
  'admin-system': {}, 'admin-security': {}, 'admin-audit': {},
  'hospital-system': ofHospitals, 'region-system': ofHospitals, 'city-system': inEvery(everything, 'own'),
  'citizen-app': { own: everything }, 'app': treating('results', ''), 'anonymous': {},
}

/** Kinds in which the caller creates, updates, patches and deletes; where a domain's rule has a say (bookings, visits, claims) that rule decides further. */
export const changeable: Readonly<Record<MatrixCaller, Row>> = {
  'citizen': { own: asked }, 'guardian': family(asked, asked), 'guardian-14': family('bookings', ''), 'relative': family('bookings', ''),
  'clinician': treating(written, 'allergies'), 'gp': treating(written, 'allergies'), 'author': { ...treating(written, 'allergies'), ...wrote(written) },
  'emergency': inEvery(written, 'own'),
  'scheduler': {}, 'insurer': {}, 'public-health': {}, 'admin-system': {}, 'admin-security': {}, 'admin-audit': {},
  'hospital-system': ofHospitals, 'region-system': ofHospitals, 'city-system': inEvery(everything, 'own'),
  'citizen-app': {}, 'app': {}, 'anonymous': {},
}

/** Outside records: what is read and, by systems alone, written: everything, or what the caller's own hospitals keep (`cityTypes` never). */
export const readsOutside: Readonly<Record<MatrixCaller, readonly OtherKind[]>> = {
  ...Object.fromEntries(callerNames.map((caller) => [caller, ['directory']])) as Record<MatrixCaller, OtherKind[]>,
  'clinician': ['directory', 'catalogue'], 'author': ['directory', 'catalogue'], 'gp': ['directory', 'catalogue'], 'emergency': ['directory', 'catalogue'],
  'hospital-system': ['directory', 'catalogue', 'systems'], 'region-system': ['directory', 'catalogue', 'systems'], 'city-system': ['directory', 'catalogue', 'systems'],
}
export const writesOutside: Readonly<Partial<Record<MatrixCaller, 'own' | 'all'>>> = { 'hospital-system': 'own', 'region-system': 'own', 'city-system': 'all' }

/** Situations that a caller can be in: one's own record is a citizen's, and a citizen's alone. */
export function situationsOf(caller: MatrixCaller): Situation[] {
  return caller === 'citizen' || caller === 'citizen-app' ? ['own', 'unrelated', 'notifiable'] : situationNames.filter((each) => each !== 'own')
}

export function kindsIn(row: Row, situation: Situation): ReadonlySet<RecordKind> {
  return new Set((row[situation] ?? '').split(' ').filter((name): name is RecordKind => name in recordKinds))
}
