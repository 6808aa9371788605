/** Sign-in, sign-out, who I am, and what this server offers at the door. */
import type { AccountView, AuthorizationAsked, ChooseRole, GiveCode, LaunchableApp, Me, OpenSession, SignedOut } from '@pujiang/api/access/shapes.ts'
import { OutcomeError, request } from './http.ts'

export type { AccountView, AuthorizationAsked, LaunchableApp, Me, OpenSession, RoleChoice } from '@pujiang/api/access/shapes.ts'
export type { Role } from '@pujiang/api/access/principal.ts'

export interface DemoAccount { login: string; password: string; zh: string; en: string }
/** `demoCode` stands for the authenticator of demo accounts; null in production. */
export interface ServerSettings { demo: boolean; accounts: DemoAccount[]; demoCode: string | null }
export interface Credentials { login: string; password: string; code?: string; role?: string; organization?: string }

export function signIn(credentials: Credentials): Promise<Me | ChooseRole | GiveCode> {
  return request('POST', '/api/sign-in', { body: credentials })
}

export function register(claim: { login: string; password: string; name: string; residentId: string; card: string }): Promise<Me> {
  return request('POST', '/api/register', { body: claim })
}

/** Answers the same whether there is an account or not. */
export function recoverPassword(claim: { password: string; name: string; residentId: string; card: string }): Promise<void> {
  return request('POST', '/api/recover-password', { body: claim })
}

/** @param asked what an app that wants the sign-out said of itself. @returns where to go then; null when no app asked. */
export async function signOut(asked: { idTokenHint?: string; redirectUri?: string; state?: string } = {}): Promise<string | null> {
  return (await request<SignedOut>('POST', '/api/sign-out', { body: asked })).location
}

export function readAccount(): Promise<AccountView> {
  return request('GET', '/api/account')
}

export function changePassword(current: string, password: string): Promise<unknown> {
  return request('POST', '/api/account/password', { body: { current, password } })
}

export function beginSecondFactor(password: string): Promise<{ uri: string; secret: string }> {
  return request('POST', '/api/account/second-factor', { body: { password } })
}

export async function confirmSecondFactor(code: string): Promise<string[]> {
  return (await request<{ recoveryCodes: string[] }>('POST', '/api/account/second-factor/confirm', { body: { code } })).recoveryCodes
}

export function removeSecondFactor(): Promise<unknown> {
  return request('DELETE', '/api/account/second-factor')
}

export function stepUp(code: string): Promise<unknown> {
  return request('POST', '/api/step-up', { body: { code } })
}

export function openSessions(): Promise<OpenSession[]> {
  return request('GET', '/api/sessions')
}

export function endSession(id: string): Promise<unknown> {
  return request('DELETE', `/api/sessions/${id}`)
}

export function endAllSessions(): Promise<unknown> {
  return request('POST', '/api/sessions/end-all', { body: {} })
}

export function launchableApps(): Promise<LaunchableApp[]> {
  return request('GET', '/api/apps')
}

/** @returns the address that opens the app for this patient. */
export async function launchApp(app: string, patient: string, encounter?: string): Promise<string> {
  return (await request<{ location: string }>('POST', '/api/launches', { body: { app, patient, encounter } })).location
}

/** What an app asks of the person; the request is tied to this browser. */
export function askedByApp(uid: string): Promise<AuthorizationAsked> {
  return request('GET', `/oidc/interaction/${encodeURIComponent(uid)}/request`)
}

export type AppAnswer = { decision: 'allow'; scopes: string[]; patient: string | null } | { decision: 'refuse' }

/** @returns where the browser goes on. */
export async function answerApp(uid: string, answer: AppAnswer): Promise<string> {
  return (await request<{ location: string }>('POST', `/oidc/interaction/${encodeURIComponent(uid)}/answer`, { body: answer })).location
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
