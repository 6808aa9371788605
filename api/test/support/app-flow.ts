/** A person's browser and an app, as far as SMART App Launch needs them: cookies by path, PKCE, the consent page's JSON. */
import { createHash, randomBytes } from 'node:crypto'
import { createAccounts, type NewAccount } from '../../src/access/accounts.ts'
import { type NewApp, upsertApps } from '../../src/access/apps.ts'
import { hashPassword } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import type { TestPlatform, TestReply } from './platform.ts'

export const password = 'a right long password'
let passwordHash: Promise<string> | null = null

export async function addAccount(platform: TestPlatform, login: string, roles: Partial<NewAccount['roles'][number]>[], given: Partial<NewAccount> = {}): Promise<string> {
  passwordHash ??= hashPassword(password)
  const id = newResourceId(null)
  const hash = await passwordHash
  await inTransaction(platform.db, (trx) => createAccounts(trx, [{
    id, login, passwordHash: hash, displayName: given.displayName ?? login, demo: false, ...given,
    roles: roles.map((role) => ({ role: 'citizen', patient: null, practitioner: null, organization: null, organizationName: null, ...role })),
  }], platform.clock.now))
  return id
}

export const redirectUri = 'https://app.example/callback'

export async function addApp(platform: TestPlatform, id: string, given: Partial<NewApp> = {}): Promise<void> {
  await upsertApps(platform.db, [{
    id, name_zh: '血压手账', name_en: 'Blood pressure diary', publisher: 'Example', auth_method: 'none', jwks: null, redirect_uris: [redirectUri],
    post_logout_redirect_uris: ['https://app.example/bye'], launch_uri: 'https://app.example/launch', roles: ['citizen', 'clinician'],
    scopes: 'openid fhirUser profile launch launch/patient offline_access online_access patient/*.rs user/*.rs', ...given,
  }], platform.clock.now)
}

export interface Browser {
  request(method: string, path: string, options?: { body?: unknown; headers?: Record<string, string> }): Promise<TestReply>
  signIn(login: string, more?: Record<string, unknown>): Promise<TestReply>
  /** Values of the cookies it would send to a path. */
  cookies(path: string): Record<string, string>
}

/** Keeps cookies as a browser does, by path. */
export function browser(platform: TestPlatform, headers: Record<string, string> = {}): Browser {
  const jar = new Map<string, { name: string; value: string; path: string }>()
  const cookiesFor = (path: string) => [...jar.values()].filter((cookie) => path.startsWith(cookie.path))
  const self: Browser = {
    async request(method, path, options = {}) {
      const cookie = cookiesFor(path.split('?')[0] ?? '').map((each) => `${each.name}=${each.value}`).join('; ')
      const reply = await platform.request(method, path, { ...options, headers: { ...(path.startsWith('/oidc') && options.body ? { 'Content-Type': 'application/json' } : {}), ...headers, ...(cookie ? { Cookie: cookie } : {}), ...options.headers } })
      for (const line of reply.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        const cookiePath = /; ?path=([^;]*)/i.exec(line)?.[1] ?? '/'
        if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(`${name} ${cookiePath}`)
        else jar.set(`${name} ${cookiePath}`, { name, value, path: cookiePath })
      }
      return reply
    },
    signIn: (login, more = {}) => self.request('POST', '/api/sign-in', { body: { login, password, ...more } }),
    cookies: (path) => Object.fromEntries(cookiesFor(path).map((each) => [each.name, each.value])),
  }
  return self
}

export interface Pkce { verifier: string; challenge: string }

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export function authorizePath(platform: TestPlatform, client: string, scope: string, challenge: string, more: Record<string, string | undefined> = {}): string {
  const params = { response_type: 'code', client_id: client, redirect_uri: redirectUri, scope, state: 'st', aud: `${platform.services.authority.issuer}/fhir`, code_challenge: challenge, code_challenge_method: 'S256', ...more }
  return `/oidc/auth?${new URLSearchParams(Object.entries(params).filter((each): each is [string, string] => each[1] !== undefined))}`
}

/** Where a reply of the provider sends the browser: path for us, the whole address for an app. */
export function target(platform: TestPlatform, reply: TestReply): string {
  return (reply.headers.get('Location') ?? '').replace(platform.services.authority.issuer, '')
}

/** From the app's link to the app's callback: asks, allows, returns the callback's parameters. */
export async function authorize(platform: TestPlatform, person: Browser, client: string, scope: string, given: { more?: Record<string, string | undefined>; kept?: string[]; patient?: string | null; challenge?: string } = {}) {
  const keys = pkce()
  const begun = await person.request('GET', authorizePath(platform, client, scope, given.challenge ?? keys.challenge, given.more))
  const interaction = target(platform, begun)
  if (!interaction.startsWith('/oidc/interaction/')) return { begun, answered: null, callback: new URL(interaction, 'https://none.example').searchParams, verifier: keys.verifier }
  const answered = await person.request('POST', `${interaction}/answer`, { body: { decision: 'allow', scopes: given.kept ?? scope.split(' '), patient: given.patient ?? null } })
  if (answered.status !== 200) return { begun, answered, callback: new URLSearchParams(), verifier: keys.verifier }
  const resumed = await person.request('GET', answered.json.location.replace(platform.services.authority.issuer, ''))
  return { begun, answered, callback: new URL(target(platform, resumed), 'https://none.example').searchParams, verifier: keys.verifier }
}

export function tokenRequest(platform: TestPlatform, form: Record<string, string>, path = '/oidc/token'): Promise<TestReply> {
  return platform.request('POST', path, { body: new URLSearchParams(form).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
}

/** The whole flow. @returns the token answer. */
export async function obtain(platform: TestPlatform, person: Browser, client: string, scope: string, given: Parameters<typeof authorize>[4] = {}): Promise<TestReply> {
  const { callback, verifier } = await authorize(platform, person, client, scope, given)
  return tokenRequest(platform, { grant_type: 'authorization_code', code: callback.get('code') ?? '', redirect_uri: redirectUri, client_id: client, code_verifier: verifier })
}
