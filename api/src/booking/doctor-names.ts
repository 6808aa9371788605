/** Finding a doctor as people type: characters of the name, pinyin with or without blanks, initials. Pure. */

const syllable = /(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?[aeiouü]+(?:ng|n(?![aeiouü])|r(?![aeiouü]))?/g

/** What a typed name may match: the Chinese name, its pinyin in one word, the first letters of its syllables. */
export function nameKeys(zh: string, en: string): string[] {
  const pinyin = fold(en)
  const initials = (en.toLowerCase().match(syllable) ?? []).map((each) => each.charAt(0)).join('')
  return [fold(zh), pinyin, initials].filter((each) => each !== '')
}

export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/[\s'’·.-]+/g, '')
}

/** @param typed folded. A Chinese name may match anywhere, pinyin and initials from their beginning. */
export function matchesName(keys: readonly string[], typed: string): boolean {
  return keys.some((key) => (/[㐀-鿿]/.test(typed) ? key.includes(typed) : key.startsWith(typed)))
}
