/**
 * Resident identity numbers (居民身份证号): 6 digits region, 8 birth date, 3 sequence (odd is male), 1 check character.
 * Invariant: `residentId` makes only numbers that `residentIdFault` accepts.
 * Source: GB 11643-1999, check character by ISO 7064 MOD 11-2. Regions 9999xx are assigned to no place: fictitious people.
 */
import type { Sentence } from './outcome.ts'

/** `urn:oid:2.16.156.10011.1.3`: the identifier system of resident IDs. */
export const residentIdSystem = 'urn:oid:2.16.156.10011.1.3'

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const checkCharacters = '10X98765432'
const ageYearsMax = 130

/** `format`: not 17 digits and a check character; `region-fictitious`: 9999xx where such numbers are refused. */
export type ResidentIdFault = 'format' | 'date' | 'future' | 'check' | 'region-fictitious'

export const residentIdFaults: Readonly<Record<ResidentIdFault, Sentence>> = {
  format: { zh: '身份证号应为 18 位：17 位数字加 1 位校验码。', en: 'A resident ID has 18 characters: 17 digits and a check character.' },
  date: { zh: '身份证号中的出生日期不存在，请核对。', en: 'The birth date inside the resident ID does not exist. Please check it.' },
  future: { zh: '身份证号中的出生日期晚于今天或过早，请核对。', en: 'The birth date inside the resident ID is in the future or too long ago. Please check it.' },
  check: { zh: '身份证号校验码不正确，请核对。', en: 'The check character of the resident ID is wrong. Please check the number.' },
  'region-fictitious': { zh: '该身份证号属于虚构地区，正式环境不予受理。', en: 'This resident ID belongs to a fictitious region and is not accepted here.' },
}

export interface ResidentIdRules {
  /** True in demo and test: regions 9999xx are accepted. */
  allowFictitiousRegion: boolean
  /** YYYY-MM-DD in Asia/Shanghai: a birth date after it is a fault. */
  today: string
}

/** Full-width digits, spaces, hyphens and a small x are what people type; none of them is a mistake. */
export function normalizeResidentId(text: string): string {
  return text.normalize('NFKC').replace(/[\s\-‐-―]/g, '').toUpperCase()
}

/** The whole number for its first 17 digits. */
export function residentId(seventeenDigits: string): string {
  return seventeenDigits + checkCharacter(seventeenDigits)
}

/** What is wrong with a number (normalised first), null when it is right. */
export function residentIdFault(text: string, rules: ResidentIdRules): ResidentIdFault | null {
  const id = normalizeResidentId(text)
  if (!/^\d{17}[\dX]$/.test(id)) return 'format'
  const born = residentIdBirthDate(id)
  if (!isCalendarDate(born)) return 'date'
  if (born > rules.today || Number(born.slice(0, 4)) < Number(rules.today.slice(0, 4)) - ageYearsMax) return 'future'
  if (checkCharacter(id.slice(0, 17)) !== id[17]) return 'check'
  if (id.startsWith('9999') && !rules.allowFictitiousRegion) return 'region-fictitious'
  return null
}

/** YYYY-MM-DD as written in the number; not checked to exist. */
export function residentIdBirthDate(id: string): string {
  return `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}`
}

/** Position 17: odd is male. A difference from the registered sex is a warning, never an error: corrections exist. */
export function residentIdSex(id: string): 'male' | 'female' {
  return Number(id[16]) % 2 === 1 ? 'male' : 'female'
}

/** The first-generation number (15 digits, years 19xx, no check character) as its 18-character form. */
export function upgradeLegacyResidentId(fifteenDigits: string): string {
  return residentId(`${fifteenDigits.slice(0, 6)}19${fifteenDigits.slice(6)}`)
}

/** `9999**********0010`: enough to recognise one's own, not enough to use another's. */
export function maskResidentId(id: string): string {
  return id.length < 9 ? '*'.repeat(id.length) : `${id.slice(0, 4)}${'*'.repeat(id.length - 8)}${id.slice(-4)}`
}

function checkCharacter(seventeenDigits: string): string {
  let sum = 0
  for (let index = 0; index < 17; index++) sum += Number(seventeenDigits[index]) * (weights[index] as number)
  return checkCharacters[sum % 11] as string
}

function isCalendarDate(day: string): boolean {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const daysOfMonth = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return year >= 1800 && month >= 1 && month <= 12 && date >= 1 && date <= (daysOfMonth[month - 1] ?? 0)
}
