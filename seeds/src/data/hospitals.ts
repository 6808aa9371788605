/**
 * The city's public providers: twelve municipal tertiary hospitals (invented names), a secondary hospital in each district
 * and a community health centre for each community of data/districts.ts. Departments carry codes of the national catalogue;
 * the number is how many doctors of the hospital, in proportion, work there.
 */

export type StaffPlan = Readonly<Record<string, number>>

const general: StaffPlan = {
  '03.04': 7, '03.01': 5, '03.02': 5, '03.03': 5, '03.07': 5, '03.06': 3, '03.05': 2, '03.08': 3, '03.10': 2, '04.01': 5, '04.03': 5, '04.04': 3,
  '04.02': 2, '04.05': 2, '04.06': 2, '05.01': 4, '05.02': 3, '07': 4, '10': 3, '11': 3, '12': 3, '13': 4, '15.02': 2, '16': 2, '19': 3, '21': 2,
  '27': 1, '50': 3, '01': 1,
}
const children: StaffPlan = { '07': 12, '07.01': 4, '07.03': 5, '07.04': 7, '07.08': 5, '07.09': 6, '08': 5, '09': 5, '10': 3, '11': 4, '12': 2, '13': 3 }
const women: StaffPlan = { '05.01': 14, '05.02': 14, '05.03': 3, '05.05': 8, '06': 4, '04.01': 3, '07.01': 4 }
const traditional: StaffPlan = { '50.01': 12, '50.03': 6, '50.04': 4, '50.05': 5, '50.10': 7, '50.11': 4, '50.13': 7, '50.14': 4, '03.04': 3, '03.02': 3, '21': 3 }
const eyesAndEars: StaffPlan = { '10': 20, '11': 20, '12': 4, '12.01': 3, '12.07': 3 }

export interface TertiaryHospital { stem: string; en: string; district: string; staff: StaffPlan; doctors: number; street: { zh: string; en: string } }

/** The first one is where the demo doctor and the demo scheduler work. */
export const tertiaryHospitals: readonly TertiaryHospital[] = [
  { stem: '申浦医院', en: 'Shenpu Hospital', district: '310101', staff: general, doctors: 80, street: { zh: '桂棹路188号', en: '188 Guizhao Road' } },
  { stem: '望潮医院', en: 'Wangchao Hospital', district: '310104', staff: general, doctors: 80, street: { zh: '枕流路66号', en: '66 Zhenliu Road' } },
  { stem: '澄澜医院', en: 'Chenglan Hospital', district: '310106', staff: general, doctors: 80, street: { zh: '停云路1200号', en: '1200 Tingyun Road' } },
  { stem: '云汀医院', en: 'Yunting Hospital', district: '310115', staff: general, doctors: 80, street: { zh: '云渡路500号', en: '500 Yundu Road' } },
  { stem: '鹤鸣医院', en: 'Heming Hospital', district: '310110', staff: general, doctors: 80, street: { zh: '听雨路168号', en: '168 Tingyu Road' } },
  { stem: '景樟医院', en: 'Jingzhang Hospital', district: '310109', staff: general, doctors: 80, street: { zh: '霁月路85号', en: '85 Jiyue Road' } },
  { stem: '星屿医院', en: 'Xingyu Hospital', district: '310105', staff: general, doctors: 80, street: { zh: '采薇路300号', en: '300 Caiwei Road' } },
  { stem: '听澜医院', en: 'Tinglan Hospital', district: '310107', staff: general, doctors: 80, street: { zh: '问渠路399号', en: '399 Wenqu Road' } },
  { stem: '芦汀儿童医院', en: "Luting Children's Hospital", district: '310112', staff: children, doctors: 60, street: { zh: '青梧路77号', en: '77 Qingwu Road' } },
  { stem: '琼英妇产科医院', en: "Qiongying Women's Hospital", district: '310101', staff: women, doctors: 50, street: { zh: '沁芳路128号', en: '128 Qinfang Road' } },
  { stem: '杏泽中医医院', en: 'Xingze Hospital of Chinese Medicine', district: '310104', staff: traditional, doctors: 60, street: { zh: '半夏路99号', en: '99 Banxia Road' } },
  { stem: '沐和眼耳鼻喉科医院', en: 'Muhe Eye and ENT Hospital', district: '310106', staff: eyesAndEars, doctors: 50, street: { zh: '漱石路36号', en: '36 Shushi Road' } },
]

export const secondaryStaff: StaffPlan = {
  '03.04': 3, '03.01': 2, '03.02': 2, '03.03': 2, '03.06': 1, '03.07': 2, '04.01': 2, '04.03': 2, '04.04': 1, '05.01': 1, '05.02': 1, '07': 2,
  '10': 1, '11': 1, '12': 1, '13': 1, '21': 1, '50': 1,
}
export const secondaryDoctors = 27

export const communityStaff: StaffPlan = { '02': 4, '50': 1, '12': 1, '01': 1, '09': 1, '21': 0.5 }
/** Doctors of a community centre; every third of them has one more, so that the city has 1,500. */
export const communityDoctors = { most: 8, some: 9, centresWithMore: 16 }

/** Share of each title by level, in per cent: chief, associate chief, attending, resident. */
export const titleShares: Readonly<Record<1 | 2 | 3, readonly [number, number, number, number]>> = {
  1: [2, 15, 58, 25], 2: [12, 25, 43, 20], 3: [20, 30, 36, 14],
}

/** Consultation fee in fen by level and title; special-need clinics and disease-specific ones have a price of their own. */
export const consultationFen: Readonly<Record<1 | 2 | 3, Readonly<Record<'chief' | 'associate-chief' | 'attending' | 'resident', number>>>> = {
  1: { chief: 2200, 'associate-chief': 1700, attending: 1200, resident: 1000 },
  2: { chief: 4000, 'associate-chief': 3200, attending: 2500, resident: 2500 },
  3: { chief: 6400, 'associate-chief': 5000, attending: 3800, resident: 3800 },
}
export const diseaseClinicFen = 5000
export const specialNeedFen = 30000

export const levels = {
  1: { code: '08', zh: '一级甲等', en: 'Level 1, grade A' },
  2: { code: '05', zh: '二级甲等', en: 'Level 2, grade A' },
  3: { code: '02', zh: '三级甲等', en: 'Level 3, grade A' },
} as const
