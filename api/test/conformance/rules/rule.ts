/**
 * Rules of the specification as data: where a rule stands, how strong it is, what it says, and requests with the answers that it asks for. Each
 * chapter has a table of its own beside this file; `specification.test.ts` runs them all against one server.
 */
import { expect } from 'vitest'
import type { Principal } from '../../../src/access/principal.ts'
import { system, type TestPlatform, type TestReply } from '../../support/platform.ts'

/** `ours`: what the specification leaves open and docs/fhir.md decides. */
export type Level = 'SHALL' | 'SHOULD' | 'MAY' | 'ours'

export interface Sent { headers?: Record<string, string>; body?: unknown; as?: Principal | null }

export interface Expected {
  status?: number | readonly number[]
  /** Null: the header is absent. */
  headers?: Readonly<Record<string, string | RegExp | null>>
  /** What the body holds, beside whatever else it holds. */
  json?: object
  /** Ids of all matches of a search, in any order; `Type/id` where several types are searched. */
  finds?: readonly string[]
  /** The same in their order. */
  inOrder?: readonly string[]
  /** Ids of what was included, as `Type/id`, in any order. */
  includes?: readonly string[]
  /** Code of the first issue. */
  issue?: string
  check?(reply: TestReply): void
}

/** `GET Patient/p` relative to /fhir; `{id}` is the id of the last resource that the rule created, `{link:next}` an address of the last answer, `{base}` the address of the server. */
export type Step = readonly [line: string, expected: number | Expected] | readonly [line: string, sent: Sent, expected: number | Expected]

export interface Rule { at: string; level: Level; says: string; steps: readonly Step[] }

export function rulesOf(page: string, table: readonly (readonly [anchor: string, level: Level, says: string, ...steps: Step[]])[]): Rule[] {
  return table.map(([anchor, level, says, ...steps]) => ({ at: `${page}#${anchor}`, level, says, steps }))
}

export async function keep({ steps }: Rule, request: TestPlatform['request'], base: string): Promise<void> {
  let id = ''
  let last: TestReply | null = null
  for (const step of steps) {
    const [line, sent, wanted] = step.length === 3 ? step : [step[0], {}, step[1]] as const
    const [method = 'GET', ...rest] = line.split(' ')
    const linked: string = /^\{link:(\w+)\}$/.exec(rest.join(' '))?.[1] ?? ''
    const path: string = linked === '' ? `/fhir/${rest.join(' ').replaceAll('{id}', id).replaceAll('{base}', base)}` : linkOf(last, linked).replace(base, '/fhir')
    const reply = await request(method, path.replace(/^\/fhir\/\?/, '/fhir?').replace(/^\/fhir\/$/, '/fhir'), {
      ...(sent.as === null ? {} : { as: sent.as ?? system }), ...(sent.headers ? { headers: sent.headers } : {}),
      ...(sent.body === undefined ? {} : { body: typeof sent.body === 'string' ? sent.body : JSON.parse(JSON.stringify(sent.body).replaceAll('{id}', id).replaceAll('{base}', base)) }),
    })
    expectReply(line, reply, typeof wanted === 'number' ? { status: wanted } : wanted)
    if (reply.status === 201) id = /\/([^/]+)\/_history\//.exec(reply.headers.get('Location') ?? '')?.[1] ?? id
    last = reply
  }
}

export function linkOf(reply: TestReply | null, relation: string): string {
  const link = (reply?.json?.link ?? []).find((each: { relation: string }) => each.relation === relation)
  if (!link) throw new Error(`There is no link ${relation} in ${reply?.text.slice(0, 300)}`)
  return link.url
}

function expectReply(line: string, reply: TestReply, wanted: Expected): void {
  const searching = (wanted.finds ?? wanted.inOrder ?? wanted.includes) !== undefined
  const status = wanted.status ?? (searching ? 200 : undefined)
  const seen = `${line} → ${reply.status} ${reply.text.slice(0, 400)}`
  if (status !== undefined) expect([status].flat(), seen).toContain(reply.status)
  else expect(reply.status, seen).toBeLessThan(500)
  for (const [name, value] of Object.entries(wanted.headers ?? {})) {
    const header = reply.headers.get(name)
    if (value instanceof RegExp) expect(header ?? '', `${name} of ${seen}`).toMatch(value)
    else expect(header, `${name} of ${seen}`).toBe(value)
  }
  if (wanted.json) expect(reply.json, seen).toMatchObject(wanted.json)
  if (wanted.issue) expect(reply.json?.issue?.[0]?.details.coding[0].code, seen).toBe(wanted.issue)
  if (wanted.finds) expect(found(reply, 'match', wanted.finds).sort(), seen).toEqual([...wanted.finds].sort())
  if (wanted.inOrder) expect(found(reply, 'match', wanted.inOrder), seen).toEqual(wanted.inOrder)
  if (wanted.includes) expect(found(reply, 'include', wanted.includes, true).sort(), seen).toEqual([...wanted.includes].sort())
  wanted.check?.(reply)
}

interface Entry { resource: { resourceType: string; id: string }; search?: { mode: string } }

function found(reply: TestReply, mode: string, wanted: readonly string[], typed = wanted.some((each) => each.includes('/'))): string[] {
  return (reply.json?.entry as Entry[] | undefined ?? []).filter((each) => each.search?.mode === mode).map(({ resource }) => (typed ? `${resource.resourceType}/${resource.id}` : resource.id))
}
