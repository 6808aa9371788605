/** Sign-in, sign-out, who I am, and what this server offers at the door. */
import type { ChooseRole, Me } from '@pujiang/api/access/shapes.ts'
import { OutcomeError, request } from './http.ts'

export type { ChooseRole, Me, RoleChoice } from '@pujiang/api/access/shapes.ts'
export type { Role } from '@pujiang/api/access/principal.ts'

export interface DemoAccount { login: string; password: string; zh: string; en: string }
export interface ServerSettings { demo: boolean; accounts: DemoAccount[] }
export interface Credentials { login: string; password: string; role?: string; organization?: string }

export function signIn(credentials: Credentials): Promise<Me | ChooseRole> {
  return request('POST', '/api/sign-in', { body: credentials })
}

export async function signOut(): Promise<void> {
  await request<unknown>('POST', '/api/sign-out', { body: {} })
}

/** Null when nobody is signed in. */
export async function whoAmI(): Promise<Me | null> {
  try {
    return await request<Me>('GET', '/api/me')
  } catch (error) {
    if (error instanceof OutcomeError && (error.status === 401 || error.status === 403)) return null
    throw error
  }
}

export function serverSettings(): Promise<ServerSettings> {
  return request('GET', '/api/settings')
}
