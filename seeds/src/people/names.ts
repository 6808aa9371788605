/** Draws names: surname by frequency, given name by sex and birth cohort; Latin form by pinyin rules (family first). */
import { givenNames, type NamePart, surnames } from '../data/names.ts'
import type { PersonName } from '../fhir-elements.ts'
import type { Random } from '../random.ts'

export type Sex = 'male' | 'female'

export function drawSurname(random: Random): NamePart {
  return random.weighted(surnames)
}

export function drawGiven(random: Random, sex: Sex, birthYear: number): NamePart {
  // One in seven carries a name of the cohort before: fashions overlap.
  const year = random.chance(0.14) ? birthYear - 12 : birthYear
  const cohort = givenNames.find((each) => year < each.until) ?? givenNames[0]
  return random.pick(cohort?.[sex] ?? [])
}

export function personName(surname: NamePart, given: NamePart): PersonName {
  const familyPinyin = capitalised(surname.pinyin)
  const givenPinyin = capitalised(given.pinyin)
  return { zh: surname.han + given.han, en: `${familyPinyin} ${givenPinyin}`, family: surname.han, given: given.han, familyPinyin, givenPinyin }
}

/** `ou yang` → `Ouyang`; an apostrophe keeps syllables apart where they could run together: `ji an` → `Ji'an`. */
function capitalised(pinyin: string): string {
  const [first = '', ...rest] = pinyin.split(' ')
  const joined = rest.reduce((word, syllable) => word + (/^[aoe]/.test(syllable) ? `'${syllable}` : syllable), first)
  return joined.charAt(0).toUpperCase() + joined.slice(1)
}
