/**
 * Who may do what with which group of entries, as a privacy officer reads it. docs/access-matrix.md is printed from this table, and
 * api/test/access/matrix.test.ts asks the running platform for every cell; it is not derived from the rules, but what the rules must come to.
 */
import type { ResourceType } from '../fhir/resource-types.ts'

/** What the caller is to the patient, and what the entry is. */
export const situations = ['own', 'related', 'unrelated', 'hidden', 'sensitive', 'barred'] as const
export type Situation = (typeof situations)[number]
export const situationWords: Readonly<Record<Situation, { zh: string; en: string }>> = {
  own: { zh: '本人的档案', en: 'the caller\'s own record' },
  related: { zh: '有关系的患者：孩子、父母、诊疗、本院、参保', en: 'a related patient: child, treatment, own hospital, insured' },
  unrelated: { zh: '无关的患者', en: 'an unrelated patient' },
  hidden: { zh: '有关系，但市民隐藏了这条', en: 'related, but the citizen hid the entry' },
  sensitive: { zh: '有关系，但这条属于别的科室的敏感内容', en: 'related, but a sensitive entry of another department' },
  barred: { zh: '有关系，但市民不让看', en: 'related, but the citizen keeps the caller out' },
}

/** Groups, each with the type that stands for it in the test. */
export const matrixGroups = {
  patient: { type: 'Patient', zh: '基本信息', en: 'particulars' }, appointment: { type: 'Appointment', zh: '预约', en: 'appointments' },
  problem: { type: 'Condition', zh: '诊断', en: 'diagnoses' }, allergy: { type: 'AllergyIntolerance', zh: '过敏', en: 'allergies' },
  result: { type: 'Observation', zh: '检验', en: 'results' }, visit: { type: 'Encounter', zh: '就诊', en: 'visits' }, note: { type: 'DocumentReference', zh: '病历全文', en: 'notes' },
  vaccination: { type: 'Immunization', zh: '接种', en: 'vaccinations' }, claim: { type: 'Claim', zh: '医保结算', en: 'claims' }, consent: { type: 'Consent', zh: '授权', en: 'choices' },
} as const satisfies Record<string, { type: ResourceType; zh: string; en: string }>
export type MatrixGroup = keyof typeof matrixGroups

/** Callers of the table; `guardian-14` is the parent of a child of fourteen, `relative` was given diagnoses and visits. */
export const matrixCallers = {
  'citizen': { zh: '市民', en: 'citizen' }, 'guardian': { zh: '14 岁以下孩子的监护人', en: 'guardian of a child under 14' }, 'guardian-14': { zh: '14 至 17 岁孩子的监护人', en: 'guardian of a child of 14 to 17' },
  'relative': { zh: '授权的家人（诊断、就诊）', en: 'authorized relative (diagnoses, visits)' }, 'clinician': { zh: '诊疗医生', en: 'treating clinician' }, 'gp': { zh: '签约家庭医生', en: 'contracted GP' },
  'emergency': { zh: '紧急调阅的医生', en: 'clinician with emergency access' }, 'scheduler': { zh: '挂号收费处', en: 'registration and cashier' }, 'insurer': { zh: '医保经办', en: 'insurance officer' },
  'public-health': { zh: '疾控人员', en: 'public-health officer' }, 'admin-system': { zh: '系统管理员', en: 'system administrator' }, 'admin-security': { zh: '安全管理员', en: 'security administrator' },
  'admin-audit': { zh: '审计管理员', en: 'audit administrator' }, 'hospital-system': { zh: '医院的系统', en: 'system of a hospital' }, 'app': { zh: '医生打开的应用（只读检验）', en: 'app of a clinician (laboratory results only)' },
  'anonymous': { zh: '未登录', en: 'not signed in' },
} as const satisfies Record<string, { zh: string; en: string }>
export type MatrixCaller = keyof typeof matrixCallers

type Row = Partial<Record<Situation, string>>

const all = 'patient appointment problem allergy result visit note vaccination claim consent'
const clinical = 'patient appointment problem allergy result visit note vaccination'
/** Of these all but the diagnosis. */
const without = 'patient appointment allergy result visit note vaccination'
/** What a clinician writes; of a patient who keeps them out only what is their own hospital's, and allergies. A sensitive diagnosis in another's name is not taken. */
const written = 'problem allergy result note vaccination'

/**
 * Groups that are read in each situation the caller can be in. What is not named is not there for the caller: not by id, version, history, search, chain, `_has`, include, count, `$everything`.
 * In `hidden` and `sensitive` the diagnosis is the entry in question; in `barred` the clinician's own hospital wrote appointments and results.
 */
export const readable: Readonly<Record<MatrixCaller, Row>> = {
  'citizen': { own: all },
  'guardian': { related: all, unrelated: '', hidden: all, sensitive: all },
  'guardian-14': { related: 'patient appointment problem allergy visit vaccination', unrelated: '', hidden: 'patient appointment allergy visit vaccination', sensitive: 'patient appointment allergy visit vaccination' },
  'relative': { related: 'patient appointment problem allergy visit', unrelated: '', hidden: 'patient appointment allergy visit', sensitive: 'patient appointment allergy visit' },
  'clinician': { related: clinical, unrelated: '', hidden: without, sensitive: without, barred: 'appointment allergy result' },
  'gp': { related: clinical, unrelated: '', hidden: without, sensitive: without, barred: 'appointment allergy result' },
  'emergency': { unrelated: clinical, hidden: clinical, sensitive: clinical, barred: clinical },
  'scheduler': { related: 'patient appointment claim', unrelated: '', sensitive: 'patient appointment claim' },
  'insurer': { related: 'patient claim', unrelated: '', sensitive: 'patient claim' },
  'public-health': { related: '' },
  'admin-system': { related: '' }, 'admin-security': { related: '' }, 'admin-audit': { related: '' },
  'hospital-system': { related: 'patient appointment result claim', unrelated: '', sensitive: 'patient appointment result claim' },
  'app': { related: 'result', unrelated: '', hidden: 'result' },
  'anonymous': { related: '' },
}

/** Groups in which entries are created by plain FHIR; where a domain's rule has a say (bookings, visits, claims) that rule decides further. */
export const creatable: Readonly<Record<MatrixCaller, Row>> = {
  'citizen': { own: 'consent' }, 'guardian': { related: 'consent' }, 'guardian-14': {}, 'relative': {},
  'clinician': { related: written, hidden: written, sensitive: 'allergy result note vaccination', barred: 'allergy result vaccination' }, 'gp': { related: written, hidden: written, sensitive: 'allergy result note vaccination', barred: 'allergy result vaccination' },
  'emergency': { unrelated: written, hidden: written, sensitive: written, barred: written },
  'scheduler': {}, 'insurer': {}, 'public-health': {}, 'admin-system': {}, 'admin-security': {}, 'admin-audit': {},
  'hospital-system': {}, 'app': {}, 'anonymous': {},
}

export function groupsIn(row: Row, situation: Situation): ReadonlySet<MatrixGroup> {
  return new Set((row[situation] ?? '').split(' ').filter((name): name is MatrixGroup => name in matrixGroups))
}

/** The page for the privacy officer. */
export function accessMatrixPage(): string {
  const heads = Object.values(matrixGroups).map((group) => `${group.zh}<br>${group.en}`)
  const lines = [
    '# Who sees what · 谁能看什么', '',
    'Written by `npm run docs` from `api/src/access/matrix.ts`; `api/test/access/matrix.test.ts` asks a running platform for every cell, by every way of reading.',
    '本页由程序生成，测试对每一格、每一种读取方式逐一核对。', '',
    '● reads 可读 · ○ not there for the caller 对其不存在 · ✎ also creates 也可新增',
  ]
  for (const situation of situations) {
    lines.push('', `## ${situationWords[situation].zh} · ${situationWords[situation].en}`, '', `| | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---').join('|')}|`)
    for (const [caller, words] of Object.entries(matrixCallers) as [MatrixCaller, { zh: string; en: string }][]) {
      if (readable[caller][situation] === undefined) continue
      const reads = groupsIn(readable[caller], situation)
      const writes = groupsIn(creatable[caller], situation)
      lines.push(`| ${words.zh} ${words.en} | ${(Object.keys(matrixGroups) as MatrixGroup[]).map((group) => `${reads.has(group) ? '●' : '○'}${writes.has(group) ? ' ✎' : ''}`).join(' | ')} |`)
    }
  }
  return [...lines, ''].join('\n')
}
