/** The accounts of the demo city, as the start-up text, the sign-in page and the README list them. Never made in production. */
import type { Role } from '../access/principal.ts'

export interface DemoAccount { login: string; password: string; role: Role; zh: string; en: string }

export const demoPassword = 'pujiang-demo'
/** Stands for the authenticator of demo accounts; never counts in production. */
export const demoCode = '246810'

export const demoAccounts: readonly DemoAccount[] = ([
  ['citizen', 'citizen', '市民（有一个孩子和一位高龄父亲）', 'Citizen with a child and an elderly father'],
  ['citizen2', 'citizen', '市民', 'Another citizen'],
  ['doctor', 'clinician', '心血管内科医生', 'Cardiologist'],
  ['doctor2', 'clinician', '内分泌科专家（两家医院）', 'Endocrinologist at two hospitals'],
  ['gp', 'gp', '家庭医生', 'General practitioner'],
  ['scheduler', 'scheduler', '医院挂号与收费处', 'Hospital registration and cashier'],
  ['insurer', 'insurer', '医保经办人员', 'Officer of the insurance centre'],
  ['public-health', 'public-health', '疾控与公共卫生人员', 'Public-health officer'],
  ['admin-system', 'admin-system', '系统管理员', 'System administrator'],
  ['admin-security', 'admin-security', '安全管理员', 'Security administrator'],
  ['admin-audit', 'admin-audit', '审计管理员', 'Audit administrator'],
] as const).map(([login, role, zh, en]) => ({ login, password: demoPassword, role, zh, en }))
