/**
 * What is measured: laboratory analytes and vital signs with LOINC code, Chinese and English name, UCUM unit, adult
 * reference range and the physical bounds no generated value may leave.
 * Sources: LOINC; WS/T 404, 405, 645 and 780 reference intervals for Chinese adults (rounded), Chinese guidelines for
 * lipids, HbA1c and uric acid.
 */

export interface Analyte {
  loinc: string
  zh: string
  en: string
  /** UCUM code. */
  unit: string
  /** The unit as a Chinese report prints it; the UCUM code when null. */
  printed: string | null
  /** Reference limits; null where the range is one-sided. A pair [male, female] where they differ. */
  low: number | readonly [number, number] | null
  high: number | readonly [number, number] | null
  decimals: number
  /** Values outside are impossible in a living patient. */
  floor: number
  ceiling: number
}

type Row = readonly [
  loinc: string, zh: string, en: string, unit: string, printed: string | null,
  low: Analyte['low'], high: Analyte['high'], decimals: number, floor: number, ceiling: number,
]

function analyte(row: Row): Analyte {
  const [loinc, zh, en, unit, printed, low, high, decimals, floor, ceiling] = row
  return { loinc, zh, en, unit, printed, low, high, decimals, floor, ceiling }
}

const rows = {
  // blood count
  wbc: ['6690-2', '白细胞计数', 'Leukocytes', '10*9/L', '×10⁹/L', 3.5, 9.5, 2, 0.3, 60],
  neutrophils: ['770-8', '中性粒细胞百分比', 'Neutrophils/100 leukocytes', '%', null, 40, 75, 1, 5, 98],
  lymphocytes: ['736-9', '淋巴细胞百分比', 'Lymphocytes/100 leukocytes', '%', null, 20, 50, 1, 1, 90],
  rbc: ['789-8', '红细胞计数', 'Erythrocytes', '10*12/L', '×10¹²/L', [4.3, 3.8], [5.8, 5.1], 2, 1.5, 8],
  haemoglobin: ['718-7', '血红蛋白', 'Hemoglobin', 'g/L', null, [130, 115], [175, 150], 0, 40, 220],
  platelets: ['777-3', '血小板计数', 'Platelets', '10*9/L', '×10⁹/L', 125, 350, 0, 10, 900],
  crp: ['1988-5', 'C反应蛋白', 'C reactive protein', 'mg/L', null, null, 10, 1, 0.1, 350],
  // glucose
  glucose: ['14771-0', '空腹血糖', 'Fasting glucose', 'mmol/L', null, 3.9, 6.1, 2, 2.2, 30],
  hba1c: ['4548-4', '糖化血红蛋白', 'Hemoglobin A1c', '%', null, 4, 6, 1, 3.8, 16],
  // lipids
  cholesterol: ['14647-2', '总胆固醇', 'Total cholesterol', 'mmol/L', null, null, 5.2, 2, 1.5, 14],
  triglyceride: ['14927-8', '甘油三酯', 'Triglyceride', 'mmol/L', null, null, 1.7, 2, 0.2, 22],
  hdl: ['14646-4', '高密度脂蛋白胆固醇', 'HDL cholesterol', 'mmol/L', null, 1.04, null, 2, 0.4, 3.2],
  ldl: ['22748-8', '低密度脂蛋白胆固醇', 'LDL cholesterol', 'mmol/L', null, null, 3.4, 2, 0.5, 10],
  // liver and kidney
  alt: ['1742-6', '丙氨酸氨基转移酶', 'Alanine aminotransferase', 'U/L', null, [9, 7], [50, 40], 0, 3, 1500],
  ast: ['1920-8', '天门冬氨酸氨基转移酶', 'Aspartate aminotransferase', 'U/L', null, [15, 13], [40, 35], 0, 5, 1500],
  bilirubin: ['14631-6', '总胆红素', 'Total bilirubin', 'umol/L', 'μmol/L', null, [26, 21], 1, 2, 300],
  creatinine: ['14682-9', '肌酐', 'Creatinine', 'umol/L', 'μmol/L', [57, 41], [111, 81], 0, 20, 1200],
  urea: ['22664-7', '尿素', 'Urea nitrogen', 'mmol/L', null, 3.1, 9.5, 1, 1, 45],
  urate: ['14933-6', '尿酸', 'Uric acid', 'umol/L', 'μmol/L', [208, 155], [428, 357], 0, 90, 900],
  potassium: ['2823-3', '钾', 'Potassium', 'mmol/L', null, 3.5, 5.3, 2, 2.4, 7],
  // thyroid, bone, heart, tumour markers, urine
  tsh: ['3016-3', '促甲状腺激素', 'Thyrotropin', 'm[IU]/L', 'mIU/L', 0.55, 4.78, 3, 0.005, 100],
  ft4: ['14920-3', '游离甲状腺素', 'Free thyroxine', 'pmol/L', null, 11.5, 22.7, 2, 2, 80],
  vitaminD: ['1989-3', '25-羟维生素D3', '25-hydroxyvitamin D3', 'ng/mL', null, 20, null, 1, 4, 100],
  troponin: ['6598-7', '肌钙蛋白T', 'Troponin T', 'ug/L', 'μg/L', null, 0.014, 3, 0.003, 10],
  bnp: ['33762-6', 'N末端B型利钠肽原', 'NT-proBNP', 'pg/mL', null, null, 125, 0, 5, 35000],
  psa: ['2857-1', '前列腺特异性抗原', 'Prostate specific antigen', 'ng/mL', null, null, 4, 2, 0.02, 200],
  afp: ['1834-1', '甲胎蛋白', 'Alpha-fetoprotein', 'ng/mL', null, null, 7, 2, 0.6, 3000],
  cea: ['2039-6', '癌胚抗原', 'Carcinoembryonic antigen', 'ng/mL', null, null, 5, 2, 0.2, 500],
  albuminuria: ['14959-1', '尿微量白蛋白/肌酐', 'Albumin/creatinine in urine', 'mg/g', null, null, 30, 1, 1, 4000],
  ferritin: ['2276-4', '铁蛋白', 'Ferritin', 'ng/mL', null, [24, 11], [336, 307], 1, 2, 2000],
  hcg: ['19080-1', '人绒毛膜促性腺激素', 'Choriogonadotropin', 'm[IU]/mL', 'mIU/mL', null, 5, 1, 0.1, 250000],
  // vital signs and measures
  systolic: ['8480-6', '收缩压', 'Systolic blood pressure', 'mm[Hg]', 'mmHg', 90, 139, 0, 70, 230],
  diastolic: ['8462-4', '舒张压', 'Diastolic blood pressure', 'mm[Hg]', 'mmHg', 60, 89, 0, 40, 140],
  pulse: ['8867-4', '心率', 'Heart rate', '/min', '次/分', 60, 100, 0, 38, 190],
  temperature: ['8310-5', '体温', 'Body temperature', 'Cel', '℃', 36, 37.2, 1, 34.5, 41.5],
  height: ['8302-2', '身高', 'Body height', 'cm', null, null, null, 1, 44, 205],
  weight: ['29463-7', '体重', 'Body weight', 'kg', null, null, null, 1, 2.2, 140],
  bmi: ['39156-5', '体质指数', 'Body mass index', 'kg/m2', 'kg/m²', 18.5, 23.9, 1, 10, 50],
  saturation: ['59408-5', '血氧饱和度', 'Oxygen saturation', '%', null, 95, 100, 0, 70, 100],
} satisfies Record<string, Row>

export type AnalyteName = keyof typeof rows

export const analytes = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, analyte(row)])) as Readonly<Record<AnalyteName, Analyte>>

/** A group ordered and reported together; `loinc` names the DiagnosticReport. */
export interface Panel { loinc: string; zh: string; en: string; analytes: readonly AnalyteName[] }

export const panels = {
  bloodCount: { loinc: '57021-8', zh: '血常规（五分类）', en: 'Complete blood count', analytes: ['wbc', 'neutrophils', 'lymphocytes', 'rbc', 'haemoglobin', 'platelets'] },
  infection: { loinc: '58410-2', zh: '血常规+C反应蛋白', en: 'Blood count and CRP', analytes: ['wbc', 'neutrophils', 'haemoglobin', 'platelets', 'crp'] },
  glucose: { loinc: '55399-0', zh: '血糖与糖化血红蛋白', en: 'Glucose and HbA1c', analytes: ['glucose', 'hba1c'] },
  fastingGlucose: { loinc: '14771-0', zh: '空腹血糖', en: 'Fasting glucose', analytes: ['glucose'] },
  lipids: { loinc: '24331-1', zh: '血脂四项', en: 'Lipid panel', analytes: ['cholesterol', 'triglyceride', 'hdl', 'ldl'] },
  liver: { loinc: '24325-3', zh: '肝功能', en: 'Liver function', analytes: ['alt', 'ast', 'bilirubin'] },
  kidney: { loinc: '24362-6', zh: '肾功能', en: 'Kidney function', analytes: ['creatinine', 'urea', 'urate'] },
  urate: { loinc: '14933-6', zh: '血尿酸', en: 'Uric acid', analytes: ['urate', 'creatinine'] },
  thyroid: { loinc: '55204-2', zh: '甲状腺功能', en: 'Thyroid function', analytes: ['tsh', 'ft4'] },
  cardiac: { loinc: '89577-1', zh: '心肌标志物', en: 'Cardiac markers', analytes: ['troponin', 'bnp'] },
  tumour: { loinc: '54417-5', zh: '肿瘤标志物筛查', en: 'Tumour marker screening', analytes: ['afp', 'cea'] },
  prostate: { loinc: '2857-1', zh: '前列腺特异性抗原', en: 'PSA', analytes: ['psa'] },
  albuminuria: { loinc: '14959-1', zh: '尿微量白蛋白', en: 'Urine albumin', analytes: ['albuminuria'] },
  iron: { loinc: '50190-8', zh: '贫血检查', en: 'Anaemia work-up', analytes: ['haemoglobin', 'rbc', 'ferritin'] },
  bone: { loinc: '1989-3', zh: '维生素D', en: 'Vitamin D', analytes: ['vitaminD'] },
  pregnancyTest: { loinc: '19080-1', zh: '血人绒毛膜促性腺激素', en: 'hCG', analytes: ['hcg'] },
} satisfies Record<string, Panel>

export type PanelName = keyof typeof panels

/** Imaging and function tests: LOINC of the report, what it is called, and the sentence a normal one carries. */
export interface Study { loinc: string; zh: string; en: string; department: string; normal: { zh: string; en: string } }

export const studies = {
  chestXray: { loinc: '36643-5', zh: '胸部正侧位X线摄片', en: 'Chest X-ray, two views', department: '32.01', normal: { zh: '两肺纹理清晰，心影大小形态正常，两膈光整，肋膈角锐利。', en: 'Lungs clear, heart of normal size and shape, costophrenic angles sharp.' } },
  chestCt: { loinc: '24627-2', zh: '胸部CT平扫', en: 'CT chest without contrast', department: '32.02', normal: { zh: '两肺未见明显实质性病变，纵隔内未见肿大淋巴结。', en: 'No parenchymal lesion, no enlarged mediastinal lymph nodes.' } },
  abdomenUltrasound: { loinc: '24558-9', zh: '上腹部彩色多普勒超声', en: 'Ultrasound, upper abdomen', department: '32.05', normal: { zh: '肝胆胰脾肾未见明显异常。', en: 'Liver, gallbladder, pancreas, spleen and kidneys unremarkable.' } },
  thyroidUltrasound: { loinc: '24601-7', zh: '甲状腺彩色多普勒超声', en: 'Ultrasound, thyroid', department: '32.05', normal: { zh: '甲状腺大小形态正常，内部回声均匀，未见明显占位。', en: 'Thyroid of normal size with even texture, no nodule.' } },
  breastUltrasound: { loinc: '24604-1', zh: '乳腺彩色多普勒超声', en: 'Ultrasound, breast', department: '32.05', normal: { zh: '双侧乳腺未见明显异常回声。', en: 'No abnormal echo in either breast.' } },
  carotidUltrasound: { loinc: '24616-5', zh: '颈动脉彩色多普勒超声', en: 'Ultrasound, carotid arteries', department: '32.05', normal: { zh: '双侧颈动脉内中膜不厚，未见斑块形成。', en: 'Intima-media of normal thickness, no plaque.' } },
  obstetricUltrasound: { loinc: '11525-3', zh: '产科彩色多普勒超声', en: 'Ultrasound, obstetric', department: '32.05', normal: { zh: '宫内单活胎，胎心规律，羊水量正常，各径线与孕周相符。', en: 'Single live fetus, regular heartbeat, normal amniotic fluid, growth as expected.' } },
  electrocardiogram: { loinc: '11524-6', zh: '常规心电图', en: 'Electrocardiogram, 12 leads', department: '32.06', normal: { zh: '窦性心律，正常心电图。', en: 'Sinus rhythm, normal electrocardiogram.' } },
  echocardiogram: { loinc: '34552-0', zh: '超声心动图', en: 'Echocardiogram', department: '32.05', normal: { zh: '各房室腔内径正常，左室收缩功能正常，EF 65%。', en: 'Normal chamber sizes, normal left ventricular function, EF 65 %.' } },
  gastroscopy: { loinc: '28014-9', zh: '电子胃镜检查', en: 'Gastroscopy', department: '03.02', normal: { zh: '食管、胃、十二指肠黏膜未见明显异常。', en: 'Oesophagus, stomach and duodenum without visible lesion.' } },
  breathTest: { loinc: '29891-9', zh: '13C尿素呼气试验', en: 'Urea breath test, 13C', department: '03.02', normal: { zh: '幽门螺杆菌阴性（DOB 1.8）。', en: 'Helicobacter pylori negative (DOB 1.8).' } },
  boneDensity: { loinc: '38268-9', zh: '双能X线骨密度测定', en: 'Bone density, DXA', department: '32.01', normal: { zh: '骨密度正常，T值 -0.6。', en: 'Normal bone density, T-score -0.6.' } },
  kneeXray: { loinc: '36699-7', zh: '膝关节正侧位X线摄片', en: 'Knee X-ray, two views', department: '32.01', normal: { zh: '膝关节诸骨未见明显异常。', en: 'Bones of the knee unremarkable.' } },
  spineMri: { loinc: '24968-0', zh: '腰椎磁共振平扫', en: 'MRI lumbar spine', department: '32.03', normal: { zh: '腰椎序列可，椎间盘未见明显突出。', en: 'Normal alignment, no disc herniation.' } },
  spirometry: { loinc: '81459-0', zh: '肺功能检查', en: 'Spirometry', department: '03.01', normal: { zh: '肺通气功能正常。', en: 'Normal ventilatory function.' } },
} satisfies Record<string, Study>

export type StudyName = keyof typeof studies
