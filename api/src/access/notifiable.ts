/**
 * Infectious diseases that the law wants reported, by class and ICD-10: which diagnoses public health may see (labels.ts), and the rows of the
 * monthly report. Class A within 2 hours, B and C within 24. Source: Law on Prevention and Treatment of Infectious Diseases; classes as of 2025-09.
 */
export interface NotifiableDisease { id: string; class: 'A' | 'B' | 'C'; zh: string; en: string; codes: RegExp }

const disease = (group: NotifiableDisease['class'], id: string, zh: string, en: string, codes: RegExp): NotifiableDisease => ({ id, class: group, zh, en, codes })

export const notifiableDiseases: readonly NotifiableDisease[] = [
  disease('A', 'plague', '鼠疫', 'Plague', /^A20/), disease('A', 'cholera', '霍乱', 'Cholera', /^A00/),
  disease('B', 'hiv', '艾滋病和 HIV 感染', 'HIV and AIDS', /^(B2[0-4]|Z21)/), disease('B', 'hepatitis', '病毒性肝炎', 'Viral hepatitis', /^B1[5-9]/), disease('B', 'polio', '脊髓灰质炎', 'Poliomyelitis', /^A80/),
  disease('B', 'avian-influenza', '人感染禽流感', 'Avian influenza in humans', /^J09/), disease('B', 'measles', '麻疹', 'Measles', /^B05/), disease('B', 'haemorrhagic-fever', '流行性出血热', 'Haemorrhagic fever with renal syndrome', /^A98\.5/),
  disease('B', 'rabies', '狂犬病', 'Rabies', /^A82/), disease('B', 'encephalitis-b', '流行性乙型脑炎', 'Japanese encephalitis', /^A83/), disease('B', 'dengue', '登革热', 'Dengue', /^A9[01]/), disease('B', 'anthrax', '炭疽', 'Anthrax', /^A22/),
  disease('B', 'dysentery', '细菌性和阿米巴性痢疾', 'Dysentery', /^A0[36]/), disease('B', 'tuberculosis', '肺结核', 'Tuberculosis', /^A1[5-9]/), disease('B', 'typhoid', '伤寒和副伤寒', 'Typhoid and paratyphoid', /^A01/),
  disease('B', 'meningitis', '流行性脑脊髓膜炎', 'Meningococcal disease', /^A39/), disease('B', 'pertussis', '百日咳', 'Pertussis', /^A37/), disease('B', 'diphtheria', '白喉', 'Diphtheria', /^A36/), disease('B', 'neonatal-tetanus', '新生儿破伤风', 'Neonatal tetanus', /^A33/),
  disease('B', 'scarlet-fever', '猩红热', 'Scarlet fever', /^A38/), disease('B', 'brucellosis', '布鲁氏菌病', 'Brucellosis', /^A23/), disease('B', 'gonorrhoea', '淋病', 'Gonorrhoea', /^A54/), disease('B', 'syphilis', '梅毒', 'Syphilis', /^A5[0-3]/),
  disease('B', 'leptospirosis', '钩端螺旋体病', 'Leptospirosis', /^A27/), disease('B', 'schistosomiasis', '血吸虫病', 'Schistosomiasis', /^B65/), disease('B', 'malaria', '疟疾', 'Malaria', /^B5[0-4]/), disease('B', 'covid', '新型冠状病毒感染', 'COVID-19', /^U07\.1/),
  disease('B', 'mpox', '猴痘', 'Mpox', /^B04/),
  disease('C', 'influenza', '流行性感冒', 'Influenza', /^J1[01]/), disease('C', 'mumps', '流行性腮腺炎', 'Mumps', /^B26/), disease('C', 'rubella', '风疹', 'Rubella', /^B06/), disease('C', 'conjunctivitis', '急性出血性结膜炎', 'Acute haemorrhagic conjunctivitis', /^B30\.3/),
  disease('C', 'leprosy', '麻风病', 'Leprosy', /^A30/), disease('C', 'typhus', '流行性和地方性斑疹伤寒', 'Typhus', /^A75/), disease('C', 'kala-azar', '黑热病', 'Kala-azar', /^B55/), disease('C', 'echinococcosis', '包虫病', 'Echinococcosis', /^B67/),
  disease('C', 'filariasis', '丝虫病', 'Filariasis', /^B74/), disease('C', 'diarrhoea', '其他感染性腹泻病', 'Other infectious diarrhoea', /^A09/), disease('C', 'hand-foot-mouth', '手足口病', 'Hand, foot and mouth disease', /^B08\.4/),
]

/** The disease of an ICD-10 code; null when it need not be reported. */
export function notifiableOf(code: string): NotifiableDisease | null {
  return notifiableDiseases.find((each) => each.codes.test(code)) ?? null
}
