/**
 * The service part of the price list: visits, examinations, treatment. Prices follow the order of magnitude of Shanghai's
 * public list; a line is code | Chinese | English | unit | yuan | class | first-pay ratio (class B) | limit in yuan.
 * Codes are stable: a new item gets a new number.
 */

export const visitPrices = `
V1010|普通门诊诊察费（一级）|General consultation, level 1|次|10|A
V1020|主治医师门诊诊察费（一级）|Consultation by an attending physician, level 1|次|12|A
V1030|副主任医师门诊诊察费（一级）|Consultation by an associate chief physician, level 1|次|17|A
V1040|主任医师门诊诊察费（一级）|Consultation by a chief physician, level 1|次|22|A
V2010|普通门诊诊察费（二级）|General consultation, level 2|次|25|A
V2020|主治医师门诊诊察费（二级）|Consultation by an attending physician, level 2|次|25|A
V2030|副主任医师门诊诊察费（二级）|Consultation by an associate chief physician, level 2|次|32|A
V2040|主任医师门诊诊察费（二级）|Consultation by a chief physician, level 2|次|40|A
V3010|普通门诊诊察费（三级）|General consultation, level 3|次|38|A
V3020|主治医师门诊诊察费（三级）|Consultation by an attending physician, level 3|次|38|A
V3030|副主任医师门诊诊察费（三级）|Consultation by an associate chief physician, level 3|次|50|A
V3040|主任医师门诊诊察费（三级）|Consultation by a chief physician, level 3|次|64|A
V3050|专病门诊诊察费|Consultation, disease-specific clinic|次|50|A
V3090|特需门诊诊察费|Special-need consultation|次|300|C
V4010|急诊诊察费|Emergency consultation|次|42|A
V4020|家庭医生签约服务费|Family doctor contract, one year|年|120|B|0.1
V4030|互联网复诊诊察费|Online follow-up consultation|次|25|A
V4040|多学科会诊（MDT）|Multidisciplinary consultation|次|260|C
V4050|家庭病床建床费|Home sickbed, opening|次|40|A
V4060|家庭病床巡诊费|Home sickbed, visit|次|60|A
V4070|膏方开方费|Herbal paste formula consultation|次|100|C
V4080|中医辨证论治|TCM pattern diagnosis and treatment|次|25|A
V4090|心理咨询（50分钟）|Psychological counselling (50 minutes)|次|260|C
V4100|营养咨询|Nutrition counselling|次|60|C
`

export const laboratoryPrices = `
L1010|血常规（五分类）|Complete blood count|项|20|A
L1020|C反应蛋白测定|C-reactive protein|项|30|A
L1030|血型鉴定（ABO+RhD）|Blood group (ABO and RhD)|项|28|A
L1040|红细胞沉降率|Erythrocyte sedimentation rate|项|10|A
L1050|网织红细胞计数|Reticulocyte count|项|12|A
L1060|尿常规|Urinalysis|项|12|A
L1070|尿微量白蛋白/肌酐|Urine albumin/creatinine|项|35|A
L1080|24小时尿蛋白定量|Urine protein, 24 hours|项|20|A
L1090|粪便常规|Stool routine|项|8|A
L1100|粪便隐血试验|Faecal occult blood|项|10|A
L1110|凝血功能四项|Coagulation panel|项|70|A
L1120|D-二聚体|D-dimer|项|80|A
L2010|空腹血糖|Fasting glucose|项|6|A
L2020|餐后2小时血糖|Glucose two hours after a meal|项|6|A
L2030|糖化血红蛋白|Hemoglobin A1c|项|60|A
L2040|口服葡萄糖耐量试验|Oral glucose tolerance test|项|36|A
L2050|胰岛素测定|Insulin|项|45|A
L2060|C肽测定|C-peptide|项|45|A
L2070|血脂四项|Lipid panel|项|42|A
L2080|载脂蛋白A1/B|Apolipoprotein A1 and B|项|36|A
L2090|脂蛋白(a)|Lipoprotein(a)|项|40|B|0.1
L2100|肝功能（八项）|Liver function (8 tests)|项|56|A
L2110|肾功能（肌酐、尿素、尿酸）|Kidney function (creatinine, urea, uric acid)|项|30|A
L2120|血尿酸|Uric acid|项|8|A
L2130|电解质四项|Electrolytes (4 tests)|项|24|A
L2140|胱抑素C|Cystatin C|项|50|A
L2150|同型半胱氨酸|Homocysteine|项|90|B|0.1
L2160|血清铁蛋白|Ferritin|项|50|A
L2170|血清铁三项|Serum iron panel|项|30|A
L2180|叶酸+维生素B12|Folate and vitamin B12|项|120|B|0.1
L2190|25-羟维生素D|25-hydroxyvitamin D|项|130|B|0.1
L2200|淀粉酶|Amylase|项|15|A
L3010|甲状腺功能五项|Thyroid function (5 tests)|项|180|A
L3020|甲状腺自身抗体|Thyroid autoantibodies|项|140|A
L3030|性激素六项|Sex hormones (6 tests)|项|240|A
L3040|人绒毛膜促性腺激素（hCG）|Chorionic gonadotropin (hCG)|项|50|A
L3050|抗缪勒氏管激素（AMH）|Anti-Müllerian hormone|项|280|C
L3060|皮质醇节律|Cortisol rhythm|项|120|A
L3070|甲状旁腺激素|Parathyroid hormone|项|80|A
L3080|骨代谢标志物三项|Bone turnover markers|项|210|B|0.1
L4010|心肌肌钙蛋白T|Cardiac troponin T|项|100|A
L4020|心肌酶谱|Cardiac enzymes|项|60|A
L4030|N末端B型利钠肽原|NT-proBNP|项|220|B|0.1
L4040|甲胎蛋白|Alpha-fetoprotein|项|40|A
L4050|癌胚抗原|Carcinoembryonic antigen|项|40|A
L4060|糖类抗原CA19-9|CA 19-9|项|70|A
L4070|糖类抗原CA125|CA 125|项|70|A
L4080|总前列腺特异性抗原|Total prostate specific antigen|项|75|A
L4090|神经元特异性烯醇化酶|Neuron-specific enolase|项|75|A
L5010|乙肝两对半（定量）|Hepatitis B serology, quantitative|项|120|A
L5020|乙肝病毒DNA定量|Hepatitis B DNA, quantitative|项|120|A
L5030|丙肝抗体|Hepatitis C antibody|项|35|A
L5040|梅毒螺旋体抗体|Syphilis antibody|项|30|A
L5050|人免疫缺陷病毒抗体|HIV antibody|项|35|A
L5060|甲乙型流感病毒抗原|Influenza A and B antigen|项|60|A
L5070|肺炎支原体抗体|Mycoplasma pneumoniae antibody|项|50|A
L5080|呼吸道病原体核酸六联检|Respiratory pathogen PCR, 6 targets|项|240|B|0.1
L5090|结核感染T细胞检测|Tuberculosis T-cell test|项|420|B|0.2
L5100|13C尿素呼气试验|13C urea breath test|次|120|A
L5110|人乳头瘤病毒（HPV）分型|HPV typing|项|300|B|0.1
L5120|宫颈液基细胞学（TCT）|Cervical liquid-based cytology|项|160|B|0.1
L5130|白带常规|Vaginal discharge examination|项|12|A
L5140|血培养|Blood culture|项|90|A
L5150|痰培养及药敏|Sputum culture and sensitivity|项|90|A
L5160|中段尿培养|Urine culture|项|70|A
L6010|类风湿因子|Rheumatoid factor|项|25|A
L6020|抗环瓜氨酸肽抗体|Anti-CCP antibody|项|85|A
L6030|抗核抗体谱|Antinuclear antibody profile|项|240|A
L6040|免疫球蛋白（IgG/IgA/IgM）|Immunoglobulins|项|60|A
L6050|补体C3/C4|Complement C3 and C4|项|30|A
L6060|总IgE测定|Total IgE|项|60|A
L6070|过敏原筛查（吸入+食物）|Allergen screening|项|280|B|0.2
L7010|唐氏综合征产前筛查|Prenatal screening for trisomy|项|180|B|0.2
L7020|无创产前基因检测（NIPT）|Non-invasive prenatal testing|项|1200|C
L7030|组织病理学检查|Histopathology|例|120|A
L7040|术中冰冻切片|Frozen section|例|230|A
L7050|免疫组织化学染色|Immunohistochemistry|项|110|B|0.1
`

export const imagingPrices = `
I1010|胸部正侧位X线摄片（DR）|Chest X-ray, two views|次|80|A
I1020|膝关节正侧位X线摄片（DR）|Knee X-ray, two views|次|80|A
I1030|腰椎正侧位X线摄片（DR）|Lumbar spine X-ray, two views|次|80|A
I1040|颈椎四位X线摄片（DR）|Cervical spine X-ray, four views|次|140|A
I1050|踝关节正侧位X线摄片（DR）|Ankle X-ray, two views|次|80|A
I1060|手部X线骨龄片|Hand X-ray for bone age|次|60|A
I1070|乳腺钼靶摄片（双侧）|Mammography, both sides|次|220|B|0.1
I1080|双能X线骨密度测定|Bone density, DXA|次|140|B|0.1
I1090|口腔曲面体层片|Dental panoramic radiograph|次|90|A
I1100|牙片|Dental radiograph|次|18|A
I2010|胸部CT平扫|CT chest|次|260|B|0.1
I2020|头颅CT平扫|CT head|次|260|B|0.1
I2030|上腹部CT平扫|CT upper abdomen|次|260|B|0.1
I2040|上腹部CT增强|CT upper abdomen with contrast|次|480|B|0.1
I2050|冠状动脉CT造影（CTA）|CT coronary angiography|次|980|B|0.2
I2060|头颈动脉CT造影|CT angiography head and neck|次|980|B|0.2
I2070|口腔锥形束CT|Dental cone beam CT|次|280|C
I3010|头颅磁共振平扫|MRI head|次|480|B|0.2
I3020|腰椎磁共振平扫|MRI lumbar spine|次|480|B|0.2
I3030|颈椎磁共振平扫|MRI cervical spine|次|480|B|0.2
I3040|膝关节磁共振平扫|MRI knee|次|480|B|0.2
I3050|盆腔磁共振平扫+增强|MRI pelvis with contrast|次|860|B|0.2
I3060|PET-CT全身显像|PET-CT whole body|次|5800|C
I4010|上腹部彩色多普勒超声|Ultrasound, upper abdomen|次|110|A
I4020|泌尿系彩色多普勒超声|Ultrasound, urinary tract|次|90|A
I4030|甲状腺彩色多普勒超声|Ultrasound, thyroid|次|90|A
I4040|乳腺彩色多普勒超声|Ultrasound, breast|次|90|A
I4050|颈动脉彩色多普勒超声|Ultrasound, carotid arteries|次|120|A
I4060|超声心动图|Echocardiogram|次|180|A
I4070|产科常规超声|Ultrasound, obstetric|次|90|A
I4080|产科三级系统超声|Ultrasound, obstetric anomaly scan|次|300|B|0.2
I4090|经阴道妇科超声|Transvaginal ultrasound|次|110|A
I4100|下肢血管彩色多普勒超声|Ultrasound, leg vessels|次|140|A
I4110|肝脏瞬时弹性成像|Transient elastography of the liver|次|160|B|0.2
I5010|常规心电图（12导联）|Electrocardiogram, 12 leads|次|24|A
I5020|24小时动态心电图|Holter electrocardiogram, 24 hours|次|180|A
I5030|24小时动态血压监测|Ambulatory blood pressure, 24 hours|次|120|A
I5040|运动平板试验|Exercise stress test|次|160|A
I5050|肺功能检查（通气+舒张）|Spirometry with bronchodilator|次|180|A
I5060|呼出气一氧化氮测定|Exhaled nitric oxide|次|140|B|0.2
I5070|脑电图|Electroencephalogram|次|90|A
I5080|肌电图|Electromyogram|次|160|A
I5090|多导睡眠监测|Polysomnography|次|520|B|0.2
I5100|电子胃镜检查|Gastroscopy|次|260|A
I5110|无痛电子胃镜检查（含麻醉）|Gastroscopy under sedation|次|780|B|0.2
I5120|电子结肠镜检查|Colonoscopy|次|360|A
I5130|电子喉镜检查|Laryngoscopy|次|160|A
I5140|电子鼻咽镜检查|Nasopharyngoscopy|次|160|A
I5150|支气管镜检查|Bronchoscopy|次|380|A
I5160|膀胱镜检查|Cystoscopy|次|220|A
I5170|电子阴道镜检查|Colposcopy|次|120|A
I5180|宫腔镜检查|Hysteroscopy|次|360|A
I6010|视力及验光检查|Vision test and refraction|次|30|A
I6020|眼压测定|Intraocular pressure|次|14|A
I6030|裂隙灯检查|Slit-lamp examination|次|12|A
I6040|眼底照相（双眼）|Fundus photography, both eyes|次|60|A
I6050|光学相干断层扫描（OCT）|Optical coherence tomography|次|160|B|0.1
I6060|视野检查|Visual field test|次|60|A
I6070|眼轴长度测量|Axial length|次|40|A
I6080|纯音测听|Pure-tone audiometry|次|40|A
I6090|声导抗测定|Tympanometry|次|30|A
I6100|前庭功能检查|Vestibular function test|次|160|A
I6110|皮肤镜检查|Dermoscopy|次|60|A
I6120|动脉硬化检测|Arterial stiffness test|次|90|B|0.2
`

export const treatmentPrices = `
T1010|肌肉注射|Intramuscular injection|次|5|A
T1020|静脉输液|Intravenous infusion|次|14|A
T1030|皮下注射|Subcutaneous injection|次|5|A
T1040|静脉采血|Venous blood sampling|次|6|A
T1050|换药（小）|Dressing change, small|次|14|A
T1060|换药（中）|Dressing change, medium|次|25|A
T1070|拆线|Removal of stitches|次|20|A
T1080|清创缝合术（小）|Wound cleaning and suture, small|次|110|A
T1090|清创缝合术（中）|Wound cleaning and suture, medium|次|190|A
T1100|雾化吸入|Nebuliser inhalation|次|14|A
T1110|吸氧|Oxygen|小时|5|A
T1120|导尿|Urinary catheterisation|次|25|A
T1130|鼻饲管置管|Nasogastric tube|次|30|A
T1140|青霉素皮试|Penicillin skin test|次|8|A
T1150|洗耳（耵聍取出）|Removal of ear wax|次|24|A
T1160|鼻腔冲洗|Nasal irrigation|次|20|A
T1170|泪道冲洗|Lacrimal irrigation|次|24|A
T2010|体表肿物切除术|Excision of a skin lump|次|320|A
T2020|拔甲术|Nail removal|次|90|A
T2030|脓肿切开引流术|Incision and drainage of an abscess|次|140|A
T2040|液氮冷冻治疗|Cryotherapy|次|40|A
T2050|激光治疗（皮肤）|Laser therapy of the skin|次|220|C
T2060|窄谱UVB光疗|Narrow-band UVB phototherapy|次|45|B|0.2
T2070|关节腔注射|Joint injection|次|70|A
T2080|石膏外固定|Plaster cast|次|140|A
T2090|骨折手法复位|Closed reduction of a fracture|次|190|A
T2100|内镜下息肉切除术|Endoscopic polypectomy|次|960|B|0.1
T2110|翼状胬肉切除术|Pterygium excision|次|640|A
T2120|白内障超声乳化摘除+人工晶体植入术|Phacoemulsification with lens implant|单侧|2200|B|0.1
T2130|人工晶体（单焦点）|Intraocular lens, monofocal|枚|1380|B|0.2|1200
T2140|包皮环切术|Circumcision|次|520|A
T2150|体外冲击波碎石|Shock wave lithotripsy|次|980|B|0.1
T2160|宫颈环形电切术（LEEP）|LEEP of the cervix|次|560|A
T2170|宫内节育器放置术|Insertion of an IUD|次|150|A
T2180|人工流产术|Induced abortion|次|320|A
T2190|血液透析|Haemodialysis|次|420|A
T2200|体腔穿刺术|Paracentesis|次|120|A
T3010|龈上洁治（全口）|Dental scaling, full mouth|次|260|C
T3020|龈下刮治（每牙）|Root planing, a tooth|牙|40|A
T3030|光固化复合树脂充填|Composite filling|牙|180|B|0.2
T3040|根管治疗（前牙）|Root canal treatment, front tooth|牙|380|A
T3050|根管治疗（磨牙）|Root canal treatment, molar|牙|760|A
T3060|普通牙拔除|Tooth extraction|牙|60|A
T3070|阻生牙拔除|Extraction of an impacted tooth|牙|320|A
T3080|窝沟封闭（每牙）|Fissure sealant, a tooth|牙|50|C
T3090|局部涂氟|Fluoride varnish|次|80|C
T3100|种植体植入术|Dental implant placement|颗|2900|C
T3110|全瓷冠|All-ceramic crown|颗|1800|C
T3120|口腔正畸治疗（固定矫治）|Orthodontic treatment, fixed appliance|疗程|9800|C
T4010|普通针刺|Acupuncture|次|45|A
T4020|电针|Electroacupuncture|次|50|A
T4030|艾灸|Moxibustion|次|40|A
T4040|拔罐|Cupping|次|30|A
T4050|耳穴压豆|Ear acupressure|次|20|A
T4060|穴位贴敷|Acupoint herbal patch|次|50|B|0.1
T4070|颈椎病推拿治疗|Tuina for the neck|次|75|A
T4080|腰椎推拿治疗|Tuina for the back|次|75|A
T4090|小儿推拿|Tuina for children|次|60|A
T4100|中药封包治疗|Herbal hot pack|次|35|A
T4110|中药熏洗|Herbal bath|次|45|A
T4120|小针刀治疗|Acupotomy|次|160|A
T4130|中药饮片调配（每剂）|Herbal decoction pieces, a dose|剂|36|A
T4140|中药煎药（每剂）|Decoction service, a dose|剂|3|C
T5010|牵引（颈/腰）|Traction|次|30|A
T5020|超短波治疗|Short-wave therapy|次|25|A
T5030|中频电治疗|Medium-frequency electrotherapy|次|25|A
T5040|体外冲击波治疗（肌骨）|Shock wave therapy, musculoskeletal|次|180|B|0.2
T5050|运动疗法|Exercise therapy|45分钟|50|A
T5060|作业疗法|Occupational therapy|45分钟|50|A
T5070|言语训练|Speech therapy|30分钟|60|A
T5080|盆底康复治疗|Pelvic floor rehabilitation|次|120|C
T5090|认知功能训练|Cognitive training|次|50|A
T6010|床位费（普通病房）|Bed, ordinary ward|日|52|A
T6020|住院诊察费|Inpatient physician service|日|24|A
T6030|II级护理|Nursing care, grade II|日|24|A
T6040|I级护理|Nursing care, grade I|日|40|A
T6050|特级护理|Nursing care, special grade|小时|12|A
T6060|经皮冠状动脉支架置入术|Percutaneous coronary stenting|次|6200|B|0.1
T6070|冠状动脉支架（集采）|Coronary stent, national purchase|个|848|B|0.2|800
T6080|腹腔镜胆囊切除术|Laparoscopic cholecystectomy|次|2600|A
T6090|剖宫产术|Caesarean section|次|2100|A
T6100|自然分娩接生|Vaginal delivery|次|1300|A
T7010|非免疫规划疫苗接种服务费|Vaccination service, non-programme vaccine|剂|28|C
T7020|流感疫苗（四价）|Influenza vaccine, quadrivalent|支|128|C
T7030|23价肺炎球菌多糖疫苗|Pneumococcal polysaccharide vaccine, 23-valent|支|198|C
T7040|九价HPV疫苗|HPV vaccine, 9-valent|支|1318|C
T7050|带状疱疹疫苗（重组）|Zoster vaccine, recombinant|支|1598|C
`
