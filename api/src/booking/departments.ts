/**
 * The departments a citizen can book, by the code of the national department catalogue (医疗机构诊疗科目名录), under the
 * name that stands on hospital signs, with the everyday words that lead there: complaints, organs, illnesses, former names.
 * Emergency, laboratory, imaging and wards are not booked and not listed. Order is that of the catalogue.
 */
import type { Named } from './shapes.ts'

export interface Department extends Named {
  code: string
  /** Code of the level-1 department; null for a level-1 one. */
  parent: string | null
  keywords: readonly string[]
}

function department(code: string, zh: string, en: string, words: string): Department {
  return { code, parent: code.includes('.') ? code.slice(0, 2) : null, zh, en, keywords: words.split('、') }
}

export const departments: readonly Department[] = [
  department('01', '预防保健科', 'Preventive care', '体检、打疫苗、预防接种、疫苗、健康咨询、check-up、vaccination、prevention'),
  department('02', '全科医疗科', 'General practice', '全科、家庭医生、感冒、发热、发烧、慢病配药、高血压配药、不知道看什么科、GP、family doctor、cold、fever、repeat prescription'),
  department('03', '内科', 'Internal medicine', '大内科、普内科、乏力、消瘦、体检异常、general medicine、fatigue'),
  department('03.01', '呼吸内科', 'Respiratory medicine', '咳嗽、咳痰、气喘、哮喘、肺炎、慢阻肺、支气管炎、肺结节、肺、打鼾、cough、asthma、COPD、lung、pneumonia、shortness of breath'),
  department('03.02', '消化内科', 'Gastroenterology', '胃痛、胃胀、反酸、烧心、腹泻、拉肚子、便秘、便血、胃镜、肠镜、幽门螺杆菌、肝、胃、肠、stomach ache、heartburn、diarrhoea、constipation、liver、endoscopy'),
  department('03.03', '神经内科', 'Neurology', '头痛、头晕、眩晕、失眠、手麻、中风、脑梗、脑卒中、偏瘫、帕金森、癫痫、记忆力下降、老年痴呆、headache、dizziness、stroke、insomnia、numbness、Parkinson、epilepsy、memory'),
  department('03.04', '心血管内科', 'Cardiology', '心内科、胸闷、胸痛、心慌、心悸、高血压、冠心病、早搏、房颤、心衰、心脏、血压高、heart、chest pain、chest tightness、palpitations、high blood pressure、hypertension、arrhythmia'),
  department('03.05', '血液内科', 'Haematology', '贫血、白血病、淋巴瘤、血小板低、白细胞低、紫癜、blood、anaemia、leukaemia、lymphoma、low platelets'),
  department('03.06', '肾内科', 'Nephrology', '肾病、肾炎、蛋白尿、血尿、浮肿、水肿、尿毒症、透析、肌酐高、kidney、protein in urine、swelling、dialysis'),
  department('03.07', '内分泌科', 'Endocrinology', '糖尿病、血糖高、甲状腺、甲亢、甲减、甲状腺结节、痛风、尿酸高、肥胖、减重、骨质疏松、diabetes、thyroid、gout、obesity、osteoporosis、hormones'),
  department('03.08', '风湿免疫科', 'Rheumatology and immunology', '风湿、类风湿、关节痛、红斑狼疮、强直性脊柱炎、干燥综合征、口干眼干、rheumatism、arthritis、lupus、joint pain'),
  department('03.09', '变态反应科', 'Allergy', '过敏、过敏性鼻炎、花粉症、荨麻疹、脱敏、allergy、hay fever、hives'),
  department('03.10', '老年病科', 'Geriatrics', '老年科、老人、高龄、多种慢病、跌倒、elderly、frailty、falls'),
  department('04', '外科', 'Surgery', '外伤、伤口、换药、拆线、wound、stitches、dressing'),
  department('04.01', '普通外科', 'General surgery', '普外科、胆囊、胆结石、阑尾炎、疝气、甲状腺手术、乳腺、乳房肿块、痔疮、肛肠、胰腺、静脉曲张、gallstones、hernia、appendix、breast lump、haemorrhoids、varicose veins'),
  department('04.02', '神经外科', 'Neurosurgery', '脑外科、脑肿瘤、脑出血、脑外伤、垂体瘤、三叉神经痛、brain tumour、head injury'),
  department('04.03', '骨科', 'Orthopaedics', '骨折、腰痛、腰椎间盘突出、颈椎病、膝盖痛、关节、扭伤、肩周炎、脊柱、足踝、fracture、back pain、knee、neck、joint、sprain、spine'),
  department('04.04', '泌尿外科', 'Urology', '前列腺、尿频、尿急、尿痛、肾结石、尿路结石、膀胱、男科、男性、prostate、kidney stones、bladder、urine、men’s health'),
  department('04.05', '胸外科', 'Thoracic surgery', '肺结节手术、肺癌、食管、气胸、胸部肿瘤、lung nodule、lung cancer、oesophagus'),
  department('04.06', '心脏大血管外科', 'Cardiac and vascular surgery', '心外科、搭桥、心脏瓣膜、主动脉、血管、先天性心脏病、bypass、heart valve、aorta、blood vessels'),
  department('04.07', '烧伤科', 'Burns', '烫伤、烧伤、疤痕、瘢痕、burn、scald、scar'),
  department('04.08', '整形外科', 'Plastic surgery', '整形、修复、疤痕修复、体表肿物、plastic surgery、reconstruction'),
  department('05', '妇产科', 'Obstetrics and gynaecology', '妇科、产科、女性、women'),
  department('05.01', '妇科', 'Gynaecology', '月经不调、痛经、白带异常、子宫肌瘤、卵巢囊肿、宫颈、HPV、盆腔炎、periods、fibroids、ovarian cyst、cervix、smear'),
  department('05.02', '产科', 'Obstetrics', '怀孕、产检、孕检、建卡、孕期、待产、pregnancy、antenatal、prenatal'),
  department('05.03', '计划生育科', 'Family planning', '避孕、上环、取环、人流、意外怀孕、contraception、IUD、abortion'),
  department('05.05', '生殖医学科', 'Reproductive medicine', '不孕、不育、备孕、试管婴儿、多囊卵巢、infertility、IVF、trying for a baby'),
  department('06', '妇女保健科', 'Women’s health', '更年期、围绝经期、盆底康复、产后康复、menopause、pelvic floor、postnatal'),
  department('07', '儿科', 'Paediatrics', '小儿科、孩子发烧、小孩咳嗽、儿童、宝宝、child、baby、fever in children'),
  department('07.01', '新生儿科', 'Neonatology', '新生儿、黄疸、早产儿、满月、newborn、jaundice、premature'),
  department('07.03', '小儿消化科', 'Paediatric gastroenterology', '孩子肚子痛、孩子拉肚子、呕吐、厌食、便秘、child stomach ache、vomiting'),
  department('07.04', '小儿呼吸科', 'Paediatric respiratory medicine', '孩子咳嗽、孩子哮喘、支原体肺炎、反复感冒、child cough、child asthma'),
  department('07.08', '小儿神经科', 'Paediatric neurology', '多动症、抽动症、孩子抽搐、癫痫、发育迟缓、ADHD、tics、seizures'),
  department('07.09', '小儿内分泌科', 'Paediatric endocrinology', '矮小、长不高、性早熟、儿童肥胖、生长激素、short stature、early puberty、growth'),
  department('08', '小儿外科', 'Paediatric surgery', '疝气、包茎、隐睾、小儿骨折、child hernia、circumcision'),
  department('09', '儿童保健科', 'Child health', '儿保、生长发育、营养、身高体重、语言发育、child development、nutrition、growth check'),
  department('10', '眼科', 'Ophthalmology', '眼睛、视力、近视、白内障、青光眼、干眼、飞蚊症、眼底、验光、eye、vision、myopia、cataract、glaucoma、dry eye'),
  department('11', '耳鼻咽喉科', 'Ear, nose and throat', '五官科、耳鸣、听力下降、中耳炎、鼻炎、鼻窦炎、咽炎、喉咙痛、扁桃体、声音嘶哑、打呼噜、ENT、ear、hearing、sinus、sore throat、tonsils、snoring'),
  department('12', '口腔科', 'Dentistry', '牙科、牙痛、补牙、拔牙、洗牙、蛀牙、牙龈出血、toothache、filling、extraction、cleaning'),
  department('12.01', '牙体牙髓科', 'Endodontics', '根管治疗、蛀牙、牙髓炎、补牙、root canal、cavity'),
  department('12.02', '牙周科', 'Periodontics', '牙龈出血、牙周炎、洁牙、牙齿松动、gums、scaling'),
  department('12.05', '口腔颌面外科', 'Oral and maxillofacial surgery', '智齿、拔牙、颌面肿物、颞下颌关节、wisdom tooth、jaw'),
  department('12.07', '口腔正畸科', 'Orthodontics', '矫正、牙齿不齐、箍牙、隐形矫正、braces、straighten teeth'),
  department('12.08', '口腔种植科', 'Dental implants', '种牙、种植牙、缺牙、implant、missing tooth'),
  department('13', '皮肤科', 'Dermatology', '皮疹、湿疹、痘痘、痤疮、荨麻疹、瘙痒、脱发、白癜风、银屑病、带状疱疹、灰指甲、rash、eczema、acne、itching、hair loss、psoriasis、shingles'),
  department('14', '医疗美容科', 'Aesthetic medicine', '祛斑、激光、美容、脱毛、aesthetic、laser'),
  department('15', '精神科', 'Psychiatry', '心理、情绪、精神、mental health'),
  department('15.02', '精神卫生科', 'Mental health', '抑郁、焦虑、双相、失眠、强迫症、depression、anxiety、bipolar、OCD'),
  department('15.06', '临床心理科', 'Clinical psychology', '心理咨询、压力、失眠、青少年心理、情绪低落、counselling、stress、sleep'),
  department('16', '感染科', 'Infectious diseases', '传染科、肝炎、乙肝、发热、腹泻、hepatitis、fever、infection'),
  department('16.03', '肝炎科', 'Viral hepatitis', '肝病、乙肝、丙肝、转氨酶高、脂肪肝、肝硬化、hepatitis B、liver enzymes、cirrhosis'),
  department('17', '结核病科', 'Tuberculosis', '肺结核、结核、tuberculosis、TB'),
  department('19', '肿瘤科', 'Oncology', '癌症、化疗、靶向治疗、肿瘤标志物、cancer、chemotherapy、tumour'),
  department('21', '康复医学科', 'Rehabilitation', '康复、理疗、中风康复、术后康复、运动损伤、rehabilitation、physiotherapy'),
  department('22', '运动医学科', 'Sports medicine', '运动损伤、半月板、韧带、肩袖、sports injury、ligament、meniscus'),
  department('23', '职业病科', 'Occupational diseases', '尘肺、职业体检、中毒、occupational disease、pneumoconiosis'),
  department('24', '安宁疗护科', 'Palliative care', '临终关怀、缓和医疗、hospice、palliative'),
  department('27', '疼痛科', 'Pain medicine', '慢性疼痛、带状疱疹后神经痛、颈肩痛、腰腿痛、chronic pain、nerve pain'),
  department('50', '中医科', 'Traditional Chinese medicine', '中医、中药、调理、膏方、体虚、TCM、herbal medicine'),
  department('50.01', '中医内科', 'TCM internal medicine', '脾胃、咳嗽、失眠、调理身体、膏方、digestion、sleep'),
  department('50.03', '中医妇科', 'TCM gynaecology', '月经调理、备孕调理、更年期、periods、fertility'),
  department('50.04', '中医儿科', 'TCM paediatrics', '小儿推拿、积食、厌食、反复感冒、child tuina'),
  department('50.05', '中医皮肤科', 'TCM dermatology', '湿疹、痘痘、荨麻疹、eczema、acne'),
  department('50.10', '中医骨伤科', 'TCM orthopaedics and traumatology', '伤科、跌打损伤、腰腿痛、颈椎病、sprain、back pain'),
  department('50.11', '中医肛肠科', 'TCM proctology', '痔疮、肛裂、肛瘘、haemorrhoids、fissure'),
  department('50.13', '针灸科', 'Acupuncture', '针灸、拔罐、面瘫、颈椎病、减肥、acupuncture、cupping、facial palsy'),
  department('50.14', '推拿科', 'Tuina massage', '推拿、按摩、落枕、腰肌劳损、massage、stiff neck'),
  department('52', '中西医结合科', 'Integrated Chinese and Western medicine', '中西医结合、慢性病调理、integrated medicine'),
]

const byCode = new Map(departments.map((each) => [each.code, each]))

export function findDepartment(code: string): Department | null {
  return byCode.get(code) ?? null
}

/** Name of a department; the code itself where the catalogue for citizens does not list it. */
export function departmentName(code: string): Named {
  const found = byCode.get(code)
  return found ? { zh: found.zh, en: found.en } : { zh: code, en: code }
}

/** Departments that everyday words lead to: a complaint, an organ, an illness, a former name. Whole words first; else what contains them. */
export function departmentsFor(words: string): string[] {
  const wanted = words.normalize('NFKC').toLowerCase().trim()
  const namesOf = (each: Department) => [each.zh, each.en, ...each.keywords].map((word) => word.toLowerCase())
  const exact = departments.filter((each) => namesOf(each).includes(wanted))
  const found = exact.length > 0 ? exact : departments.filter((each) => namesOf(each).some((word) => word.includes(wanted) || (word.length > 1 && wanted.includes(word))))
  return found.map((each) => each.code)
}
