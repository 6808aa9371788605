import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { recomputeDraw } from './recompute-draw.ts'

const sha = (text: string) => createHash('sha256').update(text).digest('hex')
const seed = 'a seed of nobody’s choosing'
const ids = ['t1', 't2', 't3', 't4', 't5']
const listHash = sha(ids.join('\n'))
const order = [...ids].sort((a, b) => (sha(`${seed}:${listHash}:${a}`) < sha(`${seed}:${listHash}:${b}`) ? -1 : 1)) as [string, string, string, string, string]
const segments = [0, 1].map((index) => ({ index, start: '', end: '', slot: '', places: 1 }))
type Result = 'won' | 'lost' | 'void'

function draw(results: Record<string, Result>, wanted: Record<string, number[]> = {}) {
  return { commitment: sha(seed), segments, held: { at: '', seed, listHash, tickets: ids.map((id) => ({ id, segments: wanted[id] ?? [], result: results[id] ?? 'lost', reason: null })) } }
}

describe('a draw computed again', () => {
  test('is equal when the first of the order won', async () => {
    expect(await recomputeDraw(draw({ [order[0]]: 'won', [order[1]]: 'won' }))).toEqual({ commitment: true, list: true, winners: true, order })
  })

  test('is equal when a rule stopped one and the next got the place', async () => {
    expect(await recomputeDraw(draw({ [order[0]]: 'void', [order[1]]: 'won', [order[2]]: 'won' }))).toMatchObject({ winners: true })
  })

  test('is equal when the segments somebody wanted were full', async () => {
    expect(await recomputeDraw(draw({ [order[0]]: 'won', [order[3]]: 'won' }, Object.fromEntries([order[0], order[1], order[2]].map((id) => [id, [0]]))))).toMatchObject({ winners: true })
  })

  test.each([
    ['somebody later in the order won', draw({ [order[0]]: 'won', [order[2]]: 'won' }), { winners: false }],
    ['a place was kept back', draw({ [order[0]]: 'won' }), { winners: false }],
    ['a place too many was given', draw({ [order[0]]: 'won', [order[1]]: 'won', [order[2]]: 'won' }), { winners: false }],
    ['the seed is another one', { ...draw({}), commitment: sha('another seed') }, { commitment: false }],
    ['a ticket was added', { ...draw({}), held: { ...draw({}).held, tickets: [...draw({}).held.tickets, { id: 't6', segments: [], result: 'lost' as const, reason: null }] } }, { list: false }],
  ])('differs when %s', async (_what, changed, fault) => {
    expect(await recomputeDraw(changed)).toMatchObject(fault)
  })
})
