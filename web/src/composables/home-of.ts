/** Where a role's work begins: the name of its first page. */
import type { Role } from '../api/account.ts'

const homes: Record<Role, string> = {
  'citizen': 'home', 'clinician': 'clinic', 'gp': 'clinic', 'scheduler': 'office', 'insurer': 'insurance',
  'public-health': 'public-health', 'admin-system': 'administration', 'admin-security': 'administration', 'admin-audit': 'audit',
}

export function homeOf(role: Role | null): { name: string } {
  return { name: role ? homes[role] : 'sign-in' }
}
