/**
 * Short illnesses: who gets them, in which months, where they go, what is tested and what is prescribed.
 * Sources: ICD-10; frequencies plausible for a Chinese city's outpatient clinics.
 */
import type { Disease } from './chronic-diseases.ts'
import type { DrugName } from './drugs.ts'
import type { PanelName, StudyName } from './labs.ts'

export interface AcuteIllness extends Disease {
  ageMin: number
  ageMax: number
  sex: 'male' | 'female' | null
  /** Relative frequency among people it can befall. */
  weight: number
  /** Months it prefers, three times as likely; empty when none. */
  season: readonly number[]
  fever: boolean
  drugs: readonly DrugName[]
  panel: PanelName | null
  study: StudyName | null
  /** Days until it is over. */
  days: number
}

const winter = [11, 12, 1, 2]
const summer = [6, 7, 8, 9]

type Row = readonly [
  icd: string, zh: string, en: string, department: string, ageMin: number, ageMax: number, sex: AcuteIllness['sex'], weight: number,
  season: readonly number[], fever: boolean, drugs: readonly DrugName[], panel: PanelName | null, study: StudyName | null, days: number,
]

const rows: readonly Row[] = [
  ['J06.9', '急性上呼吸道感染', 'Acute upper respiratory infection', '03.01', 14, 110, null, 30, winter, true, ['ganmaoling', 'ibuprofen'], 'infection', null, 7],
  ['J06.9', '急性上呼吸道感染', 'Acute upper respiratory infection', '07', 0, 13, null, 60, winter, true, ['chiqiao', 'ibuprofenChild'], 'infection', null, 6],
  ['J20.9', '急性支气管炎', 'Acute bronchitis', '03.01', 14, 110, null, 14, winter, true, ['ambroxol', 'cefuroxime'], 'infection', 'chestXray', 10],
  ['J20.9', '急性支气管炎', 'Acute bronchitis', '07', 0, 13, null, 22, winter, true, ['cefaclor', 'montelukast'], 'infection', null, 10],
  ['J10.1', '流行性感冒', 'Influenza', '03.01', 14, 110, null, 8, winter, true, ['oseltamivir', 'lianhua'], 'infection', null, 7],
  ['J10.1', '流行性感冒', 'Influenza', '07', 2, 13, null, 14, winter, true, ['oseltamivir', 'ibuprofenChild'], 'infection', null, 6],
  ['J18.9', '肺炎', 'Pneumonia', '03.01', 14, 110, null, 3, winter, true, ['levofloxacin', 'ambroxol'], 'infection', 'chestCt', 16],
  ['J15.7', '支原体肺炎', 'Mycoplasma pneumonia', '07', 3, 13, null, 7, [9, 10, 11, 12], true, ['azithromycin', 'ibuprofenChild'], 'infection', 'chestXray', 14],
  ['J03.9', '急性扁桃体炎', 'Acute tonsillitis', '11', 4, 45, null, 8, winter, true, ['cefuroxime', 'ibuprofen'], 'infection', null, 7],
  ['J02.9', '急性咽炎', 'Acute pharyngitis', '11', 14, 80, null, 9, winter, false, ['lianhua'], null, null, 6],
  ['B08.4', '手足口病', 'Hand, foot and mouth disease', '07', 1, 6, null, 10, [4, 5, 6, 7, 9, 10], true, ['ibuprofenChild'], 'infection', null, 8],
  ['B01.9', '水痘', 'Chickenpox', '07', 2, 12, null, 3, [4, 5, 11, 12], true, ['cetirizineChild'], null, null, 10],
  ['A09', '急性胃肠炎', 'Acute gastroenteritis', '03.02', 14, 110, null, 12, summer, false, ['smectite', 'rehydration'], 'infection', null, 4],
  ['A08.0', '轮状病毒肠炎', 'Rotavirus enteritis', '07', 0, 4, null, 10, [10, 11, 12, 1], true, ['smectite', 'rehydration'], 'bloodCount', null, 6],
  ['H66.9', '中耳炎', 'Otitis media', '11', 1, 10, null, 5, winter, true, ['cefaclor', 'ibuprofenChild'], null, null, 10],
  ['H10.9', '结膜炎', 'Conjunctivitis', '10', 1, 80, null, 5, summer, false, ['levofloxacinEye'], null, null, 7],
  ['N39.0', '泌尿道感染', 'Urinary tract infection', '04.04', 18, 95, 'female', 9, summer, false, ['fosfomycin', 'levofloxacin'], 'infection', null, 7],
  ['N76.0', '阴道炎', 'Vaginitis', '05.01', 20, 60, 'female', 9, [], false, ['metronidazole'], null, null, 10],
  ['N92.0', '月经过多', 'Heavy menstruation', '05.01', 20, 50, 'female', 4, [], false, ['ferrousSuccinate'], 'iron', null, 30],
  ['L50.9', '荨麻疹', 'Urticaria', '13', 3, 80, null, 6, summer, false, ['loratadine'], null, null, 7],
  ['B35.3', '足癣', 'Athlete’s foot', '13', 18, 80, null, 4, summer, false, ['ketoconazole'], null, null, 28],
  ['B02.9', '带状疱疹', 'Herpes zoster', '13', 45, 95, null, 2, [], false, ['mecobalamin', 'celecoxib'], null, null, 24],
  ['S93.4', '踝关节扭伤', 'Ankle sprain', '04.03', 8, 70, null, 5, [], false, ['ibuprofen'], null, null, 21],
  ['M79.1', '肌筋膜痛', 'Myofascial pain', '21', 25, 80, null, 6, [], false, ['eperisone', 'celecoxib'], null, null, 14],
  ['R51', '头痛', 'Headache', '03.03', 16, 85, null, 6, [], false, ['flunarizine'], null, null, 10],
  ['R42', '头晕', 'Dizziness', '03.03', 40, 95, null, 7, [], false, ['flunarizine', 'ginkgo'], 'bloodCount', 'carotidUltrasound', 14],
  ['R07.4', '胸痛', 'Chest pain', '03.04', 30, 90, null, 5, [], false, ['danshen'], 'cardiac', 'electrocardiogram', 5],
  ['K59.0', '便秘', 'Constipation', '03.02', 50, 95, null, 4, [], false, ['lactulose'], null, null, 14],
  ['K12.0', '复发性口腔溃疡', 'Recurrent mouth ulcers', '12', 12, 70, null, 4, [], false, [], null, null, 8],
  ['K02.9', '龋齿', 'Dental caries', '12', 4, 80, null, 10, [], false, [], null, null, 3],
  ['K04.0', '急性牙髓炎', 'Acute pulpitis', '12', 12, 80, null, 5, [], false, ['amoxicillin', 'ibuprofen'], null, null, 7],
  ['B98.0', '幽门螺杆菌感染', 'Helicobacter pylori infection', '03.02', 20, 70, null, 6, [], false, ['rabeprazole', 'amoxicillin', 'clarithromycin', 'bismuth'], null, 'breathTest', 40],
  ['F43.2', '适应障碍', 'Adjustment disorder', '15.02', 16, 60, null, 1.5, [], false, ['xiaoyao'], null, null, 60],
  ['D22.9', '色素痣', 'Melanocytic naevus', '13', 10, 60, null, 2, [], false, [], null, null, 10],
  ['H52.1', '近视', 'Myopia', '10', 7, 17, null, 14, [7, 8, 1, 2], false, [], null, null, 2],
]

export const acuteIllnesses: readonly AcuteIllness[] = rows.map(([icd, zh, en, department, ageMin, ageMax, sex, weight, season, fever, drugs, panel, study, days]) => (
  { icd, zh, en, department, ageMin, ageMax, sex, weight, season, fever, drugs, panel, study, days }))
