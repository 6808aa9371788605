/**
 * Kinds of care as the national interface names them (med_type) and what each is to a policy. Data; a code that is not here
 * is refused as `category-not-offered`. Pharmacies follow the terms of primary care (national guidance of 2023 on
 * designated pharmacies), whatever level they state.
 */
import type { HospitalLevel, MedicalCategory } from './rules.ts'

export interface CareKind {
  category: MedicalCategory
  /** Overrules the stated level; null: as stated. */
  level: HospitalLevel | null
  /** Needs a filing of the disease at the insured place (2503). */
  needsDiseaseFiling: boolean
  /** Has an admission and counts as a stay. */
  stay: boolean
  /** Counts as filed when in another region: nobody files before an emergency. */
  urgent: boolean
}

const care = (category: MedicalCategory, more: Partial<CareKind> = {}): CareKind => ({ category, level: null, needsDiseaseFiling: false, stay: false, urgent: false, ...more })

export const careKinds: Readonly<Record<string, CareKind>> = {
  11: care('outpatient'),
  12: care('outpatient'),
  13: care('outpatient', { urgent: true }),
  14: care('outpatient-major', { needsDiseaseFiling: true }),
  15: care('home-sickbed'),
  21: care('inpatient', { stay: true }),
  22: care('inpatient', { stay: true, urgent: true }),
  23: care('inpatient', { stay: true }),
  24: care('inpatient', { stay: true, urgent: true }),
  41: care('outpatient', { level: 1 }),
}
