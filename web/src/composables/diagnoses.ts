/**
 * Diagnoses that outpatient doctors write most, as ICD-10 codes with both names: a short list to choose from, beside what the
 * patient already has. Source: ICD-10, names of the national clinical edition.
 */
export interface Diagnosis { code: string; zh: string; en: string }

const table = `
I10|原发性高血压|Essential hypertension
I25.1|冠状动脉粥样硬化性心脏病|Coronary atherosclerosis
I20.9|心绞痛|Angina pectoris
I48|心房颤动|Atrial fibrillation
I50.9|心力衰竭|Heart failure
I49.9|心律失常|Cardiac arrhythmia
I63.9|脑梗死|Cerebral infarction
I67.8|脑供血不足|Cerebral ischaemia
E11.9|2型糖尿病|Type 2 diabetes mellitus
E78.5|高脂血症|Hyperlipidaemia
E79.0|高尿酸血症|Hyperuricaemia
M10.9|痛风|Gout
E05.9|甲状腺功能亢进症|Hyperthyroidism
E03.9|甲状腺功能减退症|Hypothyroidism
E04.1|甲状腺结节|Thyroid nodule
J06.9|急性上呼吸道感染|Acute upper respiratory infection
J20.9|急性支气管炎|Acute bronchitis
J18.9|肺炎|Pneumonia
J45.9|支气管哮喘|Asthma
J44.9|慢性阻塞性肺疾病|Chronic obstructive pulmonary disease
J30.4|过敏性鼻炎|Allergic rhinitis
J03.9|急性扁桃体炎|Acute tonsillitis
K29.5|慢性胃炎|Chronic gastritis
K21.0|胃食管反流病|Gastro-oesophageal reflux disease
K25.9|胃溃疡|Gastric ulcer
K59.0|便秘|Constipation
A09.9|急性胃肠炎|Acute gastroenteritis
K76.0|脂肪肝|Fatty liver
K80.2|胆囊结石|Gallstones
N39.0|泌尿道感染|Urinary tract infection
N18.9|慢性肾脏病|Chronic kidney disease
N40|前列腺增生|Prostatic hyperplasia
M17.9|膝关节骨关节炎|Osteoarthritis of the knee
M47.8|颈椎病|Cervical spondylosis
M51.2|腰椎间盘突出|Lumbar disc herniation
M81.9|骨质疏松症|Osteoporosis
G47.0|失眠|Insomnia
G43.9|偏头痛|Migraine
R51|头痛|Headache
R42|头晕|Dizziness
R07.4|胸痛|Chest pain
R05|咳嗽|Cough
F41.9|焦虑状态|Anxiety
F32.9|抑郁状态|Depression
L20.9|特应性皮炎|Atopic dermatitis
L50.9|荨麻疹|Urticaria
H10.9|结膜炎|Conjunctivitis
H25.9|老年性白内障|Age-related cataract
D50.9|缺铁性贫血|Iron deficiency anaemia
Z00.0|健康体检|General examination
`

export const commonDiagnoses: readonly Diagnosis[] = table.trim().split('\n').map((line) => {
  const [code = '', zh = '', en = ''] = line.split('|')
  return { code, zh, en }
})

/** By code or by a part of either name; the patient's own come first. */
export function matchDiagnoses(all: readonly Diagnosis[], typed: string): Diagnosis[] {
  const wanted = typed.trim().toLowerCase()
  if (!wanted) return all.slice(0, 8)
  return all.filter((each) => each.code.toLowerCase().startsWith(wanted) || each.zh.includes(typed.trim()) || each.en.toLowerCase().includes(wanted)).slice(0, 12)
}
