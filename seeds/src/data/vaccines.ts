/**
 * The national childhood immunization programme by age in months, and vaccines adults take. CVX codes; Chinese names as
 * in the vaccination booklet. Source: 国家免疫规划疫苗儿童免疫程序 (2021 edition, with two MMR doses).
 */

export interface Vaccine { cvx: string; zh: string; en: string; route: 'intramuscular' | 'subcutaneous' | 'intradermal' | 'oral' }

const list = {
  hepB: { cvx: '08', zh: '乙型肝炎疫苗', en: 'Hepatitis B vaccine', route: 'intramuscular' },
  bcg: { cvx: '19', zh: '卡介苗', en: 'BCG vaccine', route: 'intradermal' },
  ipv: { cvx: '10', zh: '脊髓灰质炎灭活疫苗', en: 'Inactivated poliovirus vaccine', route: 'intramuscular' },
  opv: { cvx: '178', zh: '脊髓灰质炎减毒活疫苗', en: 'Oral poliovirus vaccine, bivalent', route: 'oral' },
  dtap: { cvx: '20', zh: '百白破疫苗', en: 'DTaP vaccine', route: 'intramuscular' },
  dt: { cvx: '28', zh: '白破疫苗', en: 'DT vaccine', route: 'intramuscular' },
  mmr: { cvx: '03', zh: '麻腮风疫苗', en: 'MMR vaccine', route: 'subcutaneous' },
  je: { cvx: '134', zh: '乙脑减毒活疫苗', en: 'Japanese encephalitis vaccine', route: 'subcutaneous' },
  menA: { cvx: '108', zh: 'A群流脑多糖疫苗', en: 'Meningococcal A polysaccharide vaccine', route: 'subcutaneous' },
  menAC: { cvx: '108', zh: 'A群C群流脑多糖疫苗', en: 'Meningococcal A and C polysaccharide vaccine', route: 'subcutaneous' },
  hepA: { cvx: '83', zh: '甲型肝炎疫苗', en: 'Hepatitis A vaccine', route: 'intramuscular' },
  varicella: { cvx: '21', zh: '水痘疫苗', en: 'Varicella vaccine', route: 'subcutaneous' },
  influenza: { cvx: '158', zh: '四价流感疫苗', en: 'Influenza vaccine, quadrivalent', route: 'intramuscular' },
  pneumococcal: { cvx: '33', zh: '23价肺炎球菌多糖疫苗', en: 'Pneumococcal polysaccharide vaccine, 23-valent', route: 'intramuscular' },
  hpv9: { cvx: '165', zh: '九价人乳头瘤病毒疫苗', en: 'HPV vaccine, 9-valent', route: 'intramuscular' },
} as const satisfies Record<string, Vaccine>

export type VaccineName = keyof typeof list
export const vaccines: Readonly<Record<VaccineName, Vaccine>> = list

export interface Dose { vaccine: VaccineName; months: number; dose: number; series: number }

function doses(vaccine: VaccineName, ...months: number[]): Dose[] {
  return months.map((each, index) => ({ vaccine, months: each, dose: index + 1, series: months.length }))
}

/** In order of age; shots of the same month are given on one visit. Varicella is on Shanghai's own programme. */
export const childhoodDoses: readonly Dose[] = [
  ...doses('hepB', 0, 1, 6), ...doses('bcg', 0), ...doses('ipv', 2, 3), { vaccine: 'opv' as const, months: 4, dose: 3, series: 4 },
  { vaccine: 'opv' as const, months: 48, dose: 4, series: 4 }, ...doses('dtap', 3, 4, 5, 18), ...doses('dt', 72), ...doses('mmr', 8, 18),
  ...doses('je', 8, 24), ...doses('menA', 6, 9), ...doses('menAC', 36, 72), ...doses('hepA', 18), ...doses('varicella', 12, 48),
].sort((one, other) => one.months - other.months)
