/**
 * How days, times, money and ages are written, in both languages. Days are `YYYY-MM-DD` strings and instants carry an
 * offset; everything is shown in the city's zone, Asia/Shanghai. Money is integer fen.
 */
export type Language = 'zh' | 'en'

const zone = 'Asia/Shanghai'
const locale = { zh: 'zh-CN', en: 'en-GB' } as const
const formats = new Map<string, Intl.DateTimeFormat>()

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(locale[language], { timeZone: zone, ...options })
    formats.set(key, found)
  }
  return found
}

function parts(instant: Date): Record<string, string> {
  const shown = format('en', { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return Object.fromEntries(shown.formatToParts(instant).map((each) => [each.type, each.value]))
}

/** The day of an instant in Shanghai; a bare day stays itself. */
export function dayOf(instant: string | Date): string {
  if (typeof instant === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(instant)) return instant
  const { year, month, day } = parts(new Date(instant))
  return `${year}-${month}-${day}`
}

/** `09:30`, in Shanghai. */
export function timeOf(instant: string): string {
  const { hour, minute } = parts(new Date(instant))
  return `${hour}:${minute}`
}

export function addDays(day: string, count: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + count)
  return date.toISOString().slice(0, 10)
}

function atNoon(day: string): Date {
  return new Date(`${day}T12:00:00+08:00`)
}

/** 11月23日 / 23 Nov. */
export function shortDay(day: string, language: Language): string {
  return format(language, language === 'zh' ? { month: 'long', day: 'numeric' } : { month: 'short', day: 'numeric' }).format(atNoon(day))
}

/** 周一 / Mon. */
export function weekday(day: string, language: Language): string {
  return format(language, { weekday: 'short' }).format(atNoon(day))
}

/** 2026年11月23日 周一 / Mon, 23 November 2026; FHIR's partial dates (2026, 2026-11) keep their precision. */
export function longDay(value: string, language: Language): string {
  if (/^\d{4}$/.test(value)) return language === 'zh' ? `${value}年` : value
  if (/^\d{4}-\d{2}$/.test(value)) return format(language, { year: 'numeric', month: 'long' }).format(atNoon(`${value}-15`))
  const day = dayOf(value)
  const date = format(language, { year: 'numeric', month: 'long', day: 'numeric' }).format(atNoon(day))
  return language === 'zh' ? `${date} ${weekday(day, 'zh')}` : `${weekday(day, 'en')}, ${date}`
}

/** 2026年11月23日 / 23 Nov 2026. */
export function plainDay(value: string, language: Language): string {
  if (/^\d{4}(-\d{2})?$/.test(value)) return longDay(value, language)
  return format(language, { year: 'numeric', month: language === 'zh' ? 'long' : 'short', day: 'numeric' }).format(atNoon(dayOf(value)))
}

export function dayAndTime(instant: string, language: Language): string {
  return /T/.test(instant) ? `${longDay(instant, language)} ${timeOf(instant)}` : longDay(instant, language)
}

/** ¥1,234.50: fen in, grouped yuan out; always two digits after the point. */
export function money(fen: number): string {
  const sign = fen < 0 ? '−' : ''
  const whole = Math.abs(Math.trunc(fen))
  const yuan = String(Math.floor(whole / 100)).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${sign}¥${yuan}.${String(whole % 100).padStart(2, '0')}`
}

/** Fen of a FHIR decimal in yuan, without floating arithmetic on the digits. */
export function fenOf(value: number | string | undefined): number {
  if (value === undefined) return 0
  const match = /^(-?)(\d+)(?:\.(\d{0,2})(\d*))?$/.exec(typeof value === 'number' ? value.toFixed(4) : value)
  if (!match) return 0
  const cents = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'))
  const rounded = Number((match[4] ?? '')[0] ?? '0') >= 5 ? cents + 1 : cents
  return match[1] ? -rounded : rounded
}

/** Whole years, or months under two years of age; the unit word comes from the language files. */
export function ageAt(birthDate: string, today: string): { count: number; unit: 'years' | 'months' } {
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  const [nowYear = 0, nowMonth = 1, nowDay = 1] = today.split('-').map(Number)
  let months = (nowYear - year) * 12 + (nowMonth - month)
  if (nowDay < day) months -= 1
  return months < 24 ? { count: Math.max(0, months), unit: 'months' } : { count: Math.floor(months / 12), unit: 'years' }
}

/** Identity numbers show the region and the last two signs only. */
export function maskedId(value: string): string {
  return value.length < 8 ? value : `${value.slice(0, 4)}${'*'.repeat(value.length - 6)}${value.slice(-2)}`
}

/** Minutes and seconds left, `4:05`. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds))
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
}
