/**
 * Drugs of the city's prescriptions: generic names as on Chinese labels, ATC code, pack, usual dosage, price of a pack and
 * how the insurance catalogue takes it (A in full, B with a first-pay ratio, C not at all).
 * Sources: WHO ATC index, usual Chinese labels; prices are plausible after national purchasing, not quoted.
 */

/** How a dose is counted and taken: Chinese and English measure words, and the route. */
const doseUnits = {
  tablet: { zh: '片', en: 'tablet', route: 'oral' },
  capsule: { zh: '粒', en: 'capsule', route: 'oral' },
  sachet: { zh: '袋', en: 'sachet', route: 'oral' },
  pill: { zh: '丸', en: 'pill', route: 'oral' },
  ml: { zh: '毫升', en: 'mL', route: 'oral' },
  puff: { zh: '吸', en: 'puff', route: 'inhaled' },
  spray: { zh: '喷', en: 'spray', route: 'nasal' },
  drop: { zh: '滴', en: 'drop', route: 'eye' },
  unit: { zh: '单位', en: 'unit', route: 'subcutaneous' },
  application: { zh: '适量', en: 'thin layer', route: 'skin' },
  suppository: { zh: '枚', en: 'suppository', route: 'vaginal' },
} as const

export type DoseUnit = keyof typeof doseUnits

const routes = {
  oral: { zh: '口服', en: 'by mouth' },
  inhaled: { zh: '吸入', en: 'inhaled' },
  nasal: { zh: '喷鼻', en: 'into each nostril' },
  eye: { zh: '滴眼', en: 'into the eye' },
  subcutaneous: { zh: '皮下注射', en: 'under the skin' },
  skin: { zh: '外用', en: 'on the skin' },
  vaginal: { zh: '阴道给药', en: 'vaginally' },
} as const

const moments = {
  '': { zh: '', en: '' },
  morning: { zh: '，晨服', en: ' in the morning' },
  night: { zh: '，睡前', en: ' at bedtime' },
  before: { zh: '，餐前', en: ' before meals' },
  after: { zh: '，餐后', en: ' after meals' },
  needed: { zh: '，必要时', en: ' when needed' },
  weekly: { zh: '', en: '' },
} as const

export type Moment = keyof typeof moments

export interface Drug {
  zh: string
  en: string
  atc: string
  /** Pack as printed on the prescription: strength × count. */
  pack: string
  dose: number
  unit: DoseUnit
  /** Doses a day; 1 with the moment `weekly` is once a week. */
  daily: number
  moment: Moment
  /** Days one pack lasts at the usual dose. */
  packDays: number
  /** Price of one pack. */
  fen: number
  catalogueClass: 'A' | 'B' | 'C'
  /** Share the patient pays before insurance, of class B. */
  firstPay: number
}

type Row = readonly [zh: string, en: string, atc: string, pack: string, dose: number, unit: DoseUnit, daily: number, moment: Moment, packDays: number, fen: number, cls: 'A' | 'B' | 'C', firstPay?: number]

const rows = {
  // heart and vessels
  amlodipine: ['苯磺酸氨氯地平片', 'Amlodipine besylate tablets', 'C08CA01', '5mg×28片', 1, 'tablet', 1, 'morning', 28, 912, 'A'],
  nifedipine: ['硝苯地平控释片', 'Nifedipine controlled-release tablets', 'C08CA05', '30mg×28片', 1, 'tablet', 1, 'morning', 28, 2464, 'B', 0.1],
  valsartan: ['缬沙坦胶囊', 'Valsartan capsules', 'C09CA03', '80mg×28粒', 1, 'capsule', 1, 'morning', 28, 1380, 'B', 0.1],
  perindopril: ['培哚普利叔丁胺片', 'Perindopril tablets', 'C09AA04', '4mg×30片', 1, 'tablet', 1, 'morning', 30, 4050, 'B', 0.1],
  indapamide: ['吲达帕胺缓释片', 'Indapamide sustained-release tablets', 'C03BA11', '1.5mg×30片', 1, 'tablet', 1, 'morning', 30, 2115, 'A'],
  metoprolol: ['琥珀酸美托洛尔缓释片', 'Metoprolol succinate sustained-release tablets', 'C07AB02', '47.5mg×28片', 1, 'tablet', 1, 'morning', 28, 3276, 'B', 0.1],
  aspirin: ['阿司匹林肠溶片', 'Aspirin enteric-coated tablets', 'B01AC06', '100mg×30片', 1, 'tablet', 1, 'before', 30, 1312, 'A'],
  clopidogrel: ['硫酸氢氯吡格雷片', 'Clopidogrel tablets', 'B01AC04', '75mg×28片', 1, 'tablet', 1, '', 28, 6860, 'A'],
  rivaroxaban: ['利伐沙班片', 'Rivaroxaban tablets', 'B01AF01', '15mg×28片', 1, 'tablet', 1, 'after', 28, 9940, 'B', 0.1],
  atorvastatin: ['阿托伐他汀钙片', 'Atorvastatin calcium tablets', 'C10AA05', '20mg×28片', 1, 'tablet', 1, 'night', 28, 1568, 'A'],
  rosuvastatin: ['瑞舒伐他汀钙片', 'Rosuvastatin calcium tablets', 'C10AA07', '10mg×28片', 1, 'tablet', 1, 'night', 28, 1092, 'A'],
  ezetimibe: ['依折麦布片', 'Ezetimibe tablets', 'C10AX09', '10mg×30片', 1, 'tablet', 1, '', 30, 4680, 'B', 0.1],
  isosorbide: ['单硝酸异山梨酯缓释片', 'Isosorbide mononitrate sustained-release tablets', 'C01DA14', '60mg×7片', 1, 'tablet', 1, 'morning', 7, 1148, 'B', 0.1],
  shexiang: ['麝香保心丸', 'Shexiang Baoxin pills', 'C01EX', '22.5mg×42丸', 2, 'pill', 3, '', 7, 2890, 'A'],
  danshen: ['复方丹参滴丸', 'Compound Danshen dripping pills', 'C01EX', '27mg×180丸', 10, 'pill', 3, '', 6, 2650, 'A'],
  // diabetes, thyroid, uric acid, bone
  metformin: ['盐酸二甲双胍片', 'Metformin hydrochloride tablets', 'A10BA02', '0.5g×48片', 1, 'tablet', 2, 'after', 24, 768, 'A'],
  gliclazide: ['格列齐特缓释片', 'Gliclazide modified-release tablets', 'A10BB09', '30mg×60片', 2, 'tablet', 1, 'morning', 30, 2520, 'A'],
  acarbose: ['阿卡波糖片', 'Acarbose tablets', 'A10BF01', '50mg×30片', 1, 'tablet', 3, 'before', 10, 542, 'A'],
  dapagliflozin: ['达格列净片', 'Dapagliflozin tablets', 'A10BK01', '10mg×30片', 1, 'tablet', 1, 'morning', 30, 6840, 'B', 0.1],
  sitagliptin: ['磷酸西格列汀片', 'Sitagliptin phosphate tablets', 'A10BH01', '100mg×28片', 1, 'tablet', 1, '', 28, 5180, 'B', 0.1],
  glargine: ['甘精胰岛素注射液', 'Insulin glargine injection', 'A10AE04', '3ml:300单位×1支', 14, 'unit', 1, 'night', 21, 7790, 'B', 0.1],
  levothyroxine: ['左甲状腺素钠片', 'Levothyroxine sodium tablets', 'H03AA01', '50μg×100片', 1, 'tablet', 1, 'morning', 100, 2950, 'A'],
  febuxostat: ['非布司他片', 'Febuxostat tablets', 'M04AA03', '40mg×14片', 1, 'tablet', 1, '', 14, 1246, 'B', 0.1],
  colchicine: ['秋水仙碱片', 'Colchicine tablets', 'M04AC01', '0.5mg×20片', 1, 'tablet', 2, '', 10, 1680, 'A'],
  calciumD: ['碳酸钙D3片', 'Calcium carbonate and vitamin D3 tablets', 'A12AX', '600mg×60片', 1, 'tablet', 1, 'after', 60, 5320, 'B', 0.2],
  alendronate: ['阿仑膦酸钠片', 'Alendronate sodium tablets', 'M05BA04', '70mg×4片', 1, 'tablet', 1, 'weekly', 28, 7960, 'B', 0.1],
  // lungs, colds, allergy
  budesonideFormoterol: ['布地奈德福莫特罗吸入粉雾剂', 'Budesonide and formoterol inhalation powder', 'R03AK07', '160μg/4.5μg×60吸', 1, 'puff', 2, '', 30, 13950, 'B', 0.1],
  tiotropium: ['噻托溴铵粉吸入剂', 'Tiotropium inhalation powder', 'R03BB04', '18μg×10粒', 1, 'puff', 1, '', 10, 6320, 'B', 0.1],
  salbutamol: ['硫酸沙丁胺醇吸入气雾剂', 'Salbutamol inhalation aerosol', 'R03AC02', '100μg×200揿', 1, 'puff', 3, 'needed', 60, 1890, 'A'],
  montelukast: ['孟鲁司特钠咀嚼片', 'Montelukast sodium chewable tablets', 'R03DC03', '5mg×5片', 1, 'tablet', 1, 'night', 5, 1395, 'A'],
  ambroxol: ['盐酸氨溴索片', 'Ambroxol hydrochloride tablets', 'R05CB06', '30mg×20片', 1, 'tablet', 3, 'after', 7, 620, 'A'],
  lianhua: ['连花清瘟胶囊', 'Lianhua Qingwen capsules', 'R05X', '0.35g×24粒', 4, 'capsule', 3, '', 2, 1480, 'A'],
  ganmaoling: ['感冒灵颗粒', 'Ganmaoling granules', 'R05X', '10g×9袋', 1, 'sachet', 3, '', 3, 1190, 'B', 0.1],
  ibuprofen: ['布洛芬缓释胶囊', 'Ibuprofen sustained-release capsules', 'M01AE01', '0.3g×20粒', 1, 'capsule', 2, 'needed', 10, 1260, 'A'],
  ibuprofenChild: ['布洛芬混悬液', 'Ibuprofen oral suspension', 'M01AE01', '100ml:2g', 5, 'ml', 3, 'needed', 6, 1690, 'A'],
  cefuroxime: ['头孢呋辛酯片', 'Cefuroxime axetil tablets', 'J01DC02', '0.25g×12片', 1, 'tablet', 2, 'after', 6, 1385, 'A'],
  cefaclor: ['头孢克洛干混悬剂', 'Cefaclor for suspension', 'J01DC04', '0.125g×12袋', 1, 'sachet', 3, '', 4, 2140, 'B', 0.1],
  azithromycin: ['阿奇霉素片', 'Azithromycin tablets', 'J01FA10', '0.25g×6片', 2, 'tablet', 1, '', 3, 1040, 'A'],
  amoxicillin: ['阿莫西林胶囊', 'Amoxicillin capsules', 'J01CA04', '0.5g×24粒', 2, 'capsule', 2, 'after', 6, 960, 'A'],
  clarithromycin: ['克拉霉素片', 'Clarithromycin tablets', 'J01FA09', '0.25g×12片', 2, 'tablet', 2, 'after', 3, 1870, 'B', 0.1],
  levofloxacin: ['左氧氟沙星片', 'Levofloxacin tablets', 'J01MA12', '0.5g×7片', 1, 'tablet', 1, '', 7, 1120, 'A'],
  oseltamivir: ['磷酸奥司他韦胶囊', 'Oseltamivir phosphate capsules', 'J05AH02', '75mg×10粒', 1, 'capsule', 2, '', 5, 9870, 'B', 0.1],
  chiqiao: ['小儿豉翘清热颗粒', 'Chiqiao Qingre granules for children', 'R05X', '2g×9袋', 1, 'sachet', 3, '', 3, 2380, 'B', 0.1],
  loratadine: ['氯雷他定片', 'Loratadine tablets', 'R06AX13', '10mg×12片', 1, 'tablet', 1, '', 12, 1530, 'A'],
  cetirizineChild: ['盐酸西替利嗪滴剂', 'Cetirizine hydrochloride oral drops', 'R06AE07', '10ml:0.1g', 0.5, 'ml', 1, 'night', 20, 3280, 'B', 0.1],
  mometasoneNasal: ['糠酸莫米松鼻喷雾剂', 'Mometasone furoate nasal spray', 'R01AD09', '50μg×140揿', 2, 'spray', 1, '', 35, 5460, 'B', 0.1],
  // digestion
  omeprazole: ['奥美拉唑肠溶胶囊', 'Omeprazole enteric-coated capsules', 'A02BC01', '20mg×14粒', 1, 'capsule', 1, 'before', 14, 840, 'A'],
  rabeprazole: ['雷贝拉唑钠肠溶片', 'Rabeprazole sodium enteric-coated tablets', 'A02BC04', '10mg×14片', 1, 'tablet', 2, 'before', 7, 2310, 'B', 0.1],
  bismuth: ['枸橼酸铋钾颗粒', 'Bismuth potassium citrate granules', 'A02BX05', '0.3g×28袋', 1, 'sachet', 2, 'before', 14, 2760, 'A'],
  mosapride: ['枸橼酸莫沙必利片', 'Mosapride citrate tablets', 'A03FA09', '5mg×24片', 1, 'tablet', 3, 'before', 8, 2040, 'B', 0.1],
  hydrotalcite: ['铝碳酸镁咀嚼片', 'Hydrotalcite chewable tablets', 'A02AD04', '0.5g×24片', 2, 'tablet', 3, 'after', 4, 1960, 'A'],
  smectite: ['蒙脱石散', 'Smectite powder', 'A07BC05', '3g×10袋', 1, 'sachet', 3, '', 4, 980, 'A'],
  rehydration: ['口服补液盐散（Ⅲ）', 'Oral rehydration salts III', 'A07CA', '5.125g×6袋', 1, 'sachet', 2, '', 3, 2040, 'A'],
  silibinin: ['水飞蓟宾葡甲胺片', 'Silibinin meglumine tablets', 'A05BA03', '50mg×36片', 2, 'tablet', 3, '', 6, 3420, 'B', 0.1],
  lactulose: ['乳果糖口服溶液', 'Lactulose oral solution', 'A06AD11', '100ml:66.7g', 15, 'ml', 1, '', 7, 2790, 'B', 0.1],
  // bones and muscles, nerves, sleep
  celecoxib: ['塞来昔布胶囊', 'Celecoxib capsules', 'M01AH01', '0.2g×18粒', 1, 'capsule', 1, 'after', 18, 1296, 'B', 0.1],
  glucosamine: ['硫酸氨基葡萄糖胶囊', 'Glucosamine sulfate capsules', 'M01AX05', '0.25g×42粒', 2, 'capsule', 3, 'after', 7, 3560, 'C'],
  eperisone: ['盐酸乙哌立松片', 'Eperisone hydrochloride tablets', 'M03BX09', '50mg×20片', 1, 'tablet', 3, 'after', 7, 2870, 'B', 0.1],
  mecobalamin: ['甲钴胺片', 'Mecobalamin tablets', 'B03BA05', '0.5mg×100片', 1, 'tablet', 3, '', 33, 4150, 'B', 0.1],
  zopiclone: ['佐匹克隆片', 'Zopiclone tablets', 'N05CF01', '7.5mg×12片', 1, 'tablet', 1, 'night', 12, 1780, 'B', 0.1],
  escitalopram: ['草酸艾司西酞普兰片', 'Escitalopram oxalate tablets', 'N06AB10', '10mg×28片', 1, 'tablet', 1, 'morning', 28, 3640, 'A'],
  flunarizine: ['盐酸氟桂利嗪胶囊', 'Flunarizine hydrochloride capsules', 'N07CA03', '5mg×20粒', 1, 'capsule', 1, 'night', 20, 1430, 'A'],
  ginkgo: ['银杏叶片', 'Ginkgo leaf tablets', 'N06DX02', '19.2mg×24片', 1, 'tablet', 3, '', 8, 1860, 'A'],
  // urology, women, skin, eyes
  tamsulosin: ['盐酸坦索罗辛缓释胶囊', 'Tamsulosin sustained-release capsules', 'G04CA02', '0.2mg×10粒', 1, 'capsule', 1, 'night', 10, 1970, 'B', 0.1],
  finasteride: ['非那雄胺片', 'Finasteride tablets', 'G04CB01', '5mg×10片', 1, 'tablet', 1, '', 10, 1120, 'B', 0.1],
  fosfomycin: ['磷霉素氨丁三醇散', 'Fosfomycin trometamol powder', 'J01XX01', '3g×1袋', 1, 'sachet', 1, 'night', 1, 3180, 'B', 0.1],
  folicAcid: ['叶酸片', 'Folic acid tablets', 'B03BB01', '0.4mg×31片', 1, 'tablet', 1, 'after', 31, 1050, 'A'],
  ferrousSuccinate: ['琥珀酸亚铁片', 'Ferrous succinate tablets', 'B03AA06', '0.1g×24片', 1, 'tablet', 2, 'after', 12, 2490, 'A'],
  metronidazole: ['甲硝唑栓', 'Metronidazole suppositories', 'G01AF01', '0.5g×10枚', 1, 'suppository', 1, 'night', 10, 890, 'A'],
  xiaoyao: ['逍遥丸', 'Xiaoyao pills', 'G02X', '200丸（浓缩丸）', 8, 'pill', 3, '', 8, 1580, 'A'],
  liuwei: ['六味地黄丸', 'Liuwei Dihuang pills', 'A11X', '200丸（浓缩丸）', 8, 'pill', 3, '', 8, 1360, 'A'],
  mometasoneCream: ['糠酸莫米松乳膏', 'Mometasone furoate cream', 'D07AC13', '10g:10mg', 1, 'application', 1, '', 14, 1650, 'B', 0.1],
  ketoconazole: ['酮康唑乳膏', 'Ketoconazole cream', 'D01AC08', '10g:0.2g', 1, 'application', 2, '', 14, 1180, 'A'],
  hyaluronate: ['玻璃酸钠滴眼液', 'Sodium hyaluronate eye drops', 'S01KA01', '5ml:5mg', 1, 'drop', 4, '', 25, 2580, 'B', 0.1],
  levofloxacinEye: ['左氧氟沙星滴眼液', 'Levofloxacin eye drops', 'S01AE05', '5ml:24.4mg', 1, 'drop', 3, '', 14, 2130, 'A'],
  latanoprost: ['拉坦前列素滴眼液', 'Latanoprost eye drops', 'S01EE01', '2.5ml:125μg', 1, 'drop', 1, 'night', 28, 9860, 'B', 0.1],
} satisfies Record<string, Row>

export type DrugName = keyof typeof rows

function drug(row: Row): Drug {
  const [zh, en, atc, pack, dose, unit, daily, moment, packDays, fen, catalogueClass, firstPay = 0] = row
  return { zh, en, atc, pack, dose, unit, daily, moment, packDays, fen, catalogueClass, firstPay }
}

export const drugs = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, drug(row)])) as Readonly<Record<DrugName, Drug>>

/** Charge-item code of each drug's pack: `D` and a number in list order; codes are appended, never moved. */
export const drugCodes = new Map<DrugName, string>((Object.keys(rows) as DrugName[]).map((name, index) => [name, `D${String(index + 1).padStart(4, '0')}`]))

export function routeOf(item: Drug): { zh: string; en: string } {
  return routes[doseUnits[item.unit].route]
}

/** The sentence on the label: 口服，一次1片，一日2次，餐后 / Take 1 tablet by mouth twice daily after meals. */
export function dosageText(item: Drug): { zh: string; en: string } {
  const unit = doseUnits[item.unit]
  const route = routeOf(item)
  const often = item.moment === 'weekly' ? { zh: '一周1次', en: 'once a week' } : { zh: `一日${item.daily}次`, en: item.daily === 1 ? 'once daily' : item.daily === 2 ? 'twice daily' : `${item.daily} times daily` }
  const amountZh = item.unit === 'application' ? '适量涂于患处' : `一次${item.dose}${unit.zh}`
  const amountEn = item.unit === 'application' ? 'a thin layer' : `${item.dose} ${unit.en}${item.dose > 1 && item.unit !== 'ml' ? 's' : ''}`
  const moment = moments[item.moment]
  return { zh: `${route.zh}，${amountZh}，${often.zh}${moment.zh}`, en: `${item.unit === 'application' ? 'Apply' : route.en === 'by mouth' ? 'Take' : 'Use'} ${amountEn} ${route.en} ${often.en}${moment.en}` }
}

export function doseUnitText(item: Drug): string {
  return doseUnits[item.unit].zh
}
