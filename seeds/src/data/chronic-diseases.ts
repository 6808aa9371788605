/**
 * Long-lasting diseases: how common they are by age and sex, which department follows them, how often, with which
 * tests and drugs. A course of treatment goes through its steps in time order.
 * Sources: ICD-10; prevalences rounded from Chinese surveys; drug steps after Chinese guidelines of the disease.
 */
import type { DrugName } from './drugs.ts'
import type { PanelName, StudyName } from './labs.ts'

export interface Finding { zh: string; en: string }

export interface Disease {
  icd: string
  zh: string
  en: string
  /** National department that treats it. */
  department: string
}

export interface ChronicDisease extends Disease {
  /** Per mille who have it from an age on, [male, female]; the last entry whose age is reached counts. */
  prevalence: readonly (readonly [age: number, male: number, female: number])[]
  /** Makes it likelier: another disease and the factor. */
  raisedBy?: readonly (readonly [ChronicName, number])[]
  /** Drugs in the order they are added; each set replaces the one before after so many months. */
  steps: readonly { afterMonths: number; drugs: readonly DrugName[] }[]
  /** Months between visits; null when it is only found and watched. */
  visitMonths: number
  /** True when the community centre may follow it. */
  community: boolean
  panels: readonly PanelName[]
  /** A picture taken at diagnosis and each second year, with what it shows. */
  study: { name: StudyName; finding: Finding } | null
}

export type ChronicName =
  | 'hypertension' | 'diabetes' | 'hyperlipidaemia' | 'coronary' | 'fibrillation' | 'stroke' | 'copd' | 'asthma' | 'rhinitis'
  | 'gastritis' | 'reflux' | 'fattyLiver' | 'gallstones' | 'thyroidNodule' | 'hypothyroidism' | 'lungNodule' | 'breastNodule'
  | 'gout' | 'osteoarthritis' | 'osteoporosis' | 'disc' | 'cervical' | 'prostate' | 'kidney' | 'anaemia' | 'insomnia'
  | 'anxiety' | 'cataract' | 'dryEye' | 'glaucoma' | 'eczema'

export const chronicDiseases: Readonly<Record<ChronicName, ChronicDisease>> = {
  hypertension: {
    icd: 'I10', zh: '原发性高血压', en: 'Essential hypertension', department: '03.04',
    prevalence: [[0, 0, 0], [25, 30, 15], [35, 120, 70], [45, 240, 190], [55, 400, 380], [65, 560, 560], [75, 630, 640]],
    steps: [{ afterMonths: 0, drugs: ['amlodipine'] }, { afterMonths: 14, drugs: ['amlodipine', 'valsartan'] }, { afterMonths: 70, drugs: ['nifedipine', 'valsartan', 'indapamide'] }],
    visitMonths: 5, community: true, panels: ['kidney', 'lipids'],
    study: { name: 'electrocardiogram', finding: { zh: '窦性心律，左室高电压。', en: 'Sinus rhythm, high left ventricular voltage.' } },
  },
  diabetes: {
    icd: 'E11.9', zh: '2型糖尿病', en: 'Type 2 diabetes mellitus', department: '03.07',
    prevalence: [[0, 0, 0], [30, 25, 15], [40, 90, 55], [50, 150, 120], [60, 200, 190], [70, 230, 230]], raisedBy: [['hypertension', 1.3]],
    steps: [{ afterMonths: 0, drugs: ['metformin'] }, { afterMonths: 20, drugs: ['metformin', 'dapagliflozin'] }, { afterMonths: 60, drugs: ['metformin', 'sitagliptin', 'glargine'] }],
    visitMonths: 4, community: true, panels: ['glucose', 'albuminuria', 'kidney'], study: null,
  },
  hyperlipidaemia: {
    icd: 'E78.5', zh: '高脂血症', en: 'Hyperlipidaemia', department: '03.04',
    prevalence: [[0, 0, 0], [25, 40, 20], [35, 140, 70], [45, 200, 160], [55, 220, 280], [70, 220, 290]], raisedBy: [['diabetes', 1.7]],
    steps: [{ afterMonths: 0, drugs: ['atorvastatin'] }, { afterMonths: 30, drugs: ['rosuvastatin', 'ezetimibe'] }],
    visitMonths: 8, community: true, panels: ['lipids', 'liver'],
    study: { name: 'carotidUltrasound', finding: { zh: '双侧颈动脉内中膜增厚，右侧分叉处斑块形成（软斑，约6×2mm）。', en: 'Thickened intima-media on both sides, soft plaque at the right bifurcation (about 6 × 2 mm).' } },
  },
  coronary: {
    icd: 'I25.1', zh: '冠状动脉粥样硬化性心脏病', en: 'Coronary atherosclerotic heart disease', department: '03.04',
    prevalence: [[0, 0, 0], [45, 20, 8], [55, 60, 30], [65, 130, 90], [75, 210, 170]], raisedBy: [['hypertension', 1.5], ['diabetes', 1.6], ['hyperlipidaemia', 1.5]],
    steps: [{ afterMonths: 0, drugs: ['aspirin', 'atorvastatin', 'metoprolol'] }, { afterMonths: 24, drugs: ['aspirin', 'rosuvastatin', 'metoprolol', 'shexiang'] }],
    visitMonths: 4, community: true, panels: ['cardiac', 'lipids'],
    study: { name: 'echocardiogram', finding: { zh: '左房轻度增大，左室舒张功能减退，EF 58%。', en: 'Left atrium slightly enlarged, impaired relaxation, EF 58 %.' } },
  },
  fibrillation: {
    icd: 'I48', zh: '心房颤动', en: 'Atrial fibrillation', department: '03.04',
    prevalence: [[0, 0, 0], [60, 18, 12], [75, 60, 48]], raisedBy: [['hypertension', 1.5]],
    steps: [{ afterMonths: 0, drugs: ['rivaroxaban', 'metoprolol'] }],
    visitMonths: 5, community: false, panels: ['kidney', 'bloodCount'],
    study: { name: 'electrocardiogram', finding: { zh: '心房颤动，心室率88次/分。', en: 'Atrial fibrillation, ventricular rate 88 per minute.' } },
  },
  stroke: {
    icd: 'I69.3', zh: '脑梗死后遗症', en: 'Sequelae of cerebral infarction', department: '03.03',
    prevalence: [[0, 0, 0], [55, 14, 8], [65, 50, 32], [75, 95, 70]], raisedBy: [['hypertension', 1.7], ['diabetes', 1.3]],
    steps: [{ afterMonths: 0, drugs: ['clopidogrel', 'atorvastatin', 'ginkgo'] }],
    visitMonths: 5, community: true, panels: ['lipids', 'fastingGlucose'],
    study: { name: 'carotidUltrasound', finding: { zh: '双侧颈动脉多发斑块形成，左侧颈内动脉起始段狭窄约30%。', en: 'Multiple plaques, about 30 % narrowing of the left internal carotid origin.' } },
  },
  copd: {
    icd: 'J44.9', zh: '慢性阻塞性肺疾病', en: 'Chronic obstructive pulmonary disease', department: '03.01',
    prevalence: [[0, 0, 0], [50, 45, 12], [60, 100, 28], [70, 160, 45]],
    steps: [{ afterMonths: 0, drugs: ['tiotropium'] }, { afterMonths: 30, drugs: ['tiotropium', 'budesonideFormoterol'] }],
    visitMonths: 6, community: false, panels: ['infection'],
    study: { name: 'spirometry', finding: { zh: '中度阻塞性通气功能障碍，FEV1占预计值64%，FEV1/FVC 61%。', en: 'Moderate obstruction, FEV1 64 % of predicted, FEV1/FVC 61 %.' } },
  },
  asthma: {
    icd: 'J45.9', zh: '支气管哮喘', en: 'Asthma', department: '03.01',
    prevalence: [[0, 0, 0], [3, 35, 25], [15, 22, 24], [60, 30, 32]],
    steps: [{ afterMonths: 0, drugs: ['budesonideFormoterol', 'montelukast'] }, { afterMonths: 12, drugs: ['budesonideFormoterol'] }],
    visitMonths: 6, community: false, panels: ['bloodCount'],
    study: { name: 'spirometry', finding: { zh: '轻度阻塞性通气功能障碍，支气管舒张试验阳性。', en: 'Mild obstruction, positive bronchodilator test.' } },
  },
  rhinitis: {
    icd: 'J30.4', zh: '变应性鼻炎', en: 'Allergic rhinitis', department: '11',
    prevalence: [[0, 0, 0], [4, 120, 90], [18, 130, 120], [60, 60, 60]],
    steps: [{ afterMonths: 0, drugs: ['loratadine', 'mometasoneNasal'] }],
    visitMonths: 11, community: false, panels: [], study: null,
  },
  gastritis: {
    icd: 'K29.5', zh: '慢性胃炎', en: 'Chronic gastritis', department: '03.02',
    prevalence: [[0, 0, 0], [18, 60, 60], [35, 150, 150], [55, 210, 210]],
    steps: [{ afterMonths: 0, drugs: ['rabeprazole', 'hydrotalcite'] }, { afterMonths: 12, drugs: ['omeprazole', 'mosapride'] }],
    visitMonths: 12, community: false, panels: [],
    study: { name: 'gastroscopy', finding: { zh: '慢性浅表性胃炎（胃窦为主），黏膜充血水肿，未见溃疡。', en: 'Chronic superficial gastritis, mainly antral; mucosal congestion, no ulcer.' } },
  },
  reflux: {
    icd: 'K21.9', zh: '胃食管反流病', en: 'Gastro-oesophageal reflux disease', department: '03.02',
    prevalence: [[0, 0, 0], [25, 35, 30], [50, 60, 55]],
    steps: [{ afterMonths: 0, drugs: ['rabeprazole', 'mosapride'] }],
    visitMonths: 13, community: false, panels: [],
    study: { name: 'gastroscopy', finding: { zh: '反流性食管炎（LA-A级）。', en: 'Reflux oesophagitis (LA grade A).' } },
  },
  fattyLiver: {
    icd: 'K76.0', zh: '脂肪肝', en: 'Fatty liver', department: '03.02',
    prevalence: [[0, 0, 0], [20, 120, 40], [35, 320, 130], [50, 330, 250]], raisedBy: [['diabetes', 1.4], ['hyperlipidaemia', 1.4]],
    steps: [{ afterMonths: 0, drugs: [] }, { afterMonths: 18, drugs: ['silibinin'] }],
    visitMonths: 14, community: false, panels: ['liver', 'lipids'],
    study: { name: 'abdomenUltrasound', finding: { zh: '脂肪肝（中度），胆囊、胰腺、脾脏未见明显异常。', en: 'Moderate fatty liver; gallbladder, pancreas and spleen unremarkable.' } },
  },
  gallstones: {
    icd: 'K80.2', zh: '胆囊结石', en: 'Gallstones', department: '04.01',
    prevalence: [[0, 0, 0], [35, 30, 45], [55, 60, 80]],
    steps: [{ afterMonths: 0, drugs: [] }],
    visitMonths: 18, community: false, panels: ['liver'],
    study: { name: 'abdomenUltrasound', finding: { zh: '胆囊结石（多发，最大约9mm），肝内外胆管未见扩张。', en: 'Multiple gallstones up to 9 mm; bile ducts not dilated.' } },
  },
  thyroidNodule: {
    icd: 'E04.1', zh: '甲状腺结节', en: 'Thyroid nodule', department: '03.07',
    prevalence: [[0, 0, 0], [20, 60, 140], [40, 130, 260], [60, 180, 320]],
    steps: [{ afterMonths: 0, drugs: [] }],
    visitMonths: 13, community: false, panels: ['thyroid'],
    study: { name: 'thyroidUltrasound', finding: { zh: '甲状腺右叶结节，约5×4mm，TI-RADS 3类，建议随访。', en: 'Nodule of the right lobe, about 5 × 4 mm, TI-RADS 3; follow-up advised.' } },
  },
  hypothyroidism: {
    icd: 'E03.9', zh: '甲状腺功能减退症', en: 'Hypothyroidism', department: '03.07',
    prevalence: [[0, 0, 0], [25, 6, 26], [50, 10, 45]],
    steps: [{ afterMonths: 0, drugs: ['levothyroxine'] }],
    visitMonths: 6, community: false, panels: ['thyroid'], study: null,
  },
  lungNodule: {
    icd: 'R91', zh: '肺部结节', en: 'Pulmonary nodule', department: '03.01',
    prevalence: [[0, 0, 0], [35, 90, 90], [50, 170, 160], [65, 230, 200]],
    steps: [{ afterMonths: 0, drugs: [] }],
    visitMonths: 12, community: false, panels: ['tumour'],
    study: { name: 'chestCt', finding: { zh: '右肺上叶磨玻璃结节，直径约4mm，建议年度随访。', en: 'Ground-glass nodule of the right upper lobe, about 4 mm; yearly follow-up advised.' } },
  },
  breastNodule: {
    icd: 'N60.3', zh: '乳腺结节', en: 'Breast nodule', department: '04.01',
    prevalence: [[0, 0, 0], [22, 0, 150], [35, 0, 240], [55, 0, 120]],
    steps: [{ afterMonths: 0, drugs: [] }, { afterMonths: 8, drugs: ['xiaoyao'] }],
    visitMonths: 12, community: false, panels: [],
    study: { name: 'breastUltrasound', finding: { zh: '左乳外上象限低回声结节，约8×5mm，BI-RADS 3类。', en: 'Hypoechoic nodule of the left breast, about 8 × 5 mm, BI-RADS 3.' } },
  },
  gout: {
    icd: 'M10.9', zh: '痛风', en: 'Gout', department: '03.08',
    prevalence: [[0, 0, 0], [25, 16, 1], [40, 42, 4], [60, 50, 15]],
    steps: [{ afterMonths: 0, drugs: ['colchicine', 'febuxostat'] }, { afterMonths: 8, drugs: ['febuxostat'] }],
    visitMonths: 6, community: false, panels: ['urate'], study: null,
  },
  osteoarthritis: {
    icd: 'M17.9', zh: '膝骨关节炎', en: 'Osteoarthritis of the knee', department: '04.03',
    prevalence: [[0, 0, 0], [45, 40, 70], [55, 90, 170], [65, 150, 280]],
    steps: [{ afterMonths: 0, drugs: ['celecoxib', 'glucosamine'] }],
    visitMonths: 10, community: false, panels: [],
    study: { name: 'kneeXray', finding: { zh: '双膝关节退行性改变，内侧间隙轻度变窄。', en: 'Degenerative change of both knees, slight medial narrowing.' } },
  },
  osteoporosis: {
    icd: 'M81.9', zh: '骨质疏松症', en: 'Osteoporosis', department: '03.07',
    prevalence: [[0, 0, 0], [50, 20, 110], [65, 70, 330], [75, 120, 450]],
    steps: [{ afterMonths: 0, drugs: ['calciumD'] }, { afterMonths: 10, drugs: ['calciumD', 'alendronate'] }],
    visitMonths: 10, community: true, panels: ['bone'],
    study: { name: 'boneDensity', finding: { zh: '腰椎骨密度降低，T值 -2.8，符合骨质疏松。', en: 'Low lumbar bone density, T-score -2.8, osteoporosis.' } },
  },
  disc: {
    icd: 'M51.2', zh: '腰椎间盘突出', en: 'Lumbar disc herniation', department: '04.03',
    prevalence: [[0, 0, 0], [25, 60, 45], [40, 110, 100], [60, 120, 120]],
    steps: [{ afterMonths: 0, drugs: ['celecoxib', 'eperisone', 'mecobalamin'] }],
    visitMonths: 16, community: false, panels: [],
    study: { name: 'spineMri', finding: { zh: 'L4/5、L5/S1椎间盘突出，硬膜囊轻度受压。', en: 'Disc herniation at L4/5 and L5/S1 with slight compression of the dural sac.' } },
  },
  cervical: {
    icd: 'M47.8', zh: '颈椎病', en: 'Cervical spondylosis', department: '21',
    prevalence: [[0, 0, 0], [30, 60, 75], [45, 110, 130]],
    steps: [{ afterMonths: 0, drugs: ['eperisone', 'mecobalamin'] }],
    visitMonths: 16, community: false, panels: [], study: null,
  },
  prostate: {
    icd: 'N40', zh: '前列腺增生', en: 'Benign prostatic hyperplasia', department: '04.04',
    prevalence: [[0, 0, 0], [50, 110, 0], [60, 260, 0], [70, 380, 0]],
    steps: [{ afterMonths: 0, drugs: ['tamsulosin'] }, { afterMonths: 18, drugs: ['tamsulosin', 'finasteride'] }],
    visitMonths: 9, community: false, panels: ['prostate'], study: null,
  },
  kidney: {
    icd: 'N18.9', zh: '慢性肾脏病', en: 'Chronic kidney disease', department: '03.06',
    prevalence: [[0, 0, 0], [45, 18, 16], [60, 45, 40], [75, 80, 75]], raisedBy: [['hypertension', 1.5], ['diabetes', 2]],
    steps: [{ afterMonths: 0, drugs: ['perindopril'] }],
    visitMonths: 5, community: false, panels: ['kidney', 'albuminuria', 'bloodCount'], study: null,
  },
  anaemia: {
    icd: 'D50.9', zh: '缺铁性贫血', en: 'Iron deficiency anaemia', department: '03.05',
    prevalence: [[0, 0, 0], [15, 3, 40], [50, 8, 12]],
    steps: [{ afterMonths: 0, drugs: ['ferrousSuccinate'] }, { afterMonths: 7, drugs: [] }],
    visitMonths: 7, community: false, panels: ['iron'], study: null,
  },
  insomnia: {
    icd: 'G47.0', zh: '失眠', en: 'Insomnia', department: '03.03',
    prevalence: [[0, 0, 0], [25, 25, 40], [50, 60, 100]],
    steps: [{ afterMonths: 0, drugs: ['zopiclone'] }],
    visitMonths: 9, community: true, panels: [], study: null,
  },
  anxiety: {
    icd: 'F41.9', zh: '焦虑状态', en: 'Anxiety disorder', department: '15.02',
    prevalence: [[0, 0, 0], [18, 18, 28], [40, 20, 36]],
    steps: [{ afterMonths: 0, drugs: ['escitalopram'] }],
    visitMonths: 5, community: false, panels: [], study: null,
  },
  cataract: {
    icd: 'H25.9', zh: '老年性白内障', en: 'Senile cataract', department: '10',
    prevalence: [[0, 0, 0], [60, 160, 190], [72, 330, 380]],
    steps: [{ afterMonths: 0, drugs: ['hyaluronate'] }],
    visitMonths: 13, community: false, panels: [], study: null,
  },
  dryEye: {
    icd: 'H04.1', zh: '干眼症', en: 'Dry eye', department: '10',
    prevalence: [[0, 0, 0], [20, 50, 75], [45, 60, 110]],
    steps: [{ afterMonths: 0, drugs: ['hyaluronate'] }],
    visitMonths: 15, community: false, panels: [], study: null,
  },
  glaucoma: {
    icd: 'H40.1', zh: '原发性开角型青光眼', en: 'Primary open-angle glaucoma', department: '10',
    prevalence: [[0, 0, 0], [45, 9, 9], [65, 22, 22]],
    steps: [{ afterMonths: 0, drugs: ['latanoprost'] }],
    visitMonths: 5, community: false, panels: [], study: null,
  },
  eczema: {
    icd: 'L30.9', zh: '湿疹', en: 'Eczema', department: '13',
    prevalence: [[0, 90, 80], [6, 50, 45], [18, 40, 40], [65, 50, 45]],
    steps: [{ afterMonths: 0, drugs: ['mometasoneCream', 'loratadine'] }],
    visitMonths: 15, community: false, panels: [], study: null,
  },
}
