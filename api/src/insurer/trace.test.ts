import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { stepLabels, stepText } from './step-labels.ts'
import { replayTrace, Trace, traceFromJson, traceJson, type TraceStep } from './trace.ts'

const step = (more: Partial<TraceStep>): TraceStep => ({ name: 'x', operation: 'given', of: [], parts: null, fen: 100n, ...more })

describe('a trace', () => {
  test('keeps each operation with what it was made of', () => {
    const trace = new Trace('half-up')
    trace.given('a', 105n, { rule: 'p/a', label: 'deductible-inpatient' })
    trace.given('b', 200n)
    trace.sum('s', ['a', 'b'])
    trace.excess('e', ['b', 'a'])
    trace.excess('none', ['a', 'b'])
    trace.min('m', ['b', 'a', 's'])
    trace.share('h', 'a', 1000, { rule: 'p/r', reduced: { mode: 'points', parts: 500, from: 1500, filing: 'referred' } })
    expect(trace.steps.map(({ name, fen }) => [name, fen])).toEqual([['a', 105n], ['b', 200n], ['s', 305n], ['e', 95n], ['none', 0n], ['m', 105n], ['h', 11n]])
    expect(trace.steps[0]).toEqual({ name: 'a', operation: 'given', of: [], parts: null, fen: 105n, rule: 'p/a', label: 'deductible-inpatient' })
    expect(Object.keys(trace.steps[1] ?? {})).toEqual(['name', 'operation', 'of', 'parts', 'fen'])
    expect(trace.steps[6]).toEqual({ name: 'h', operation: 'share', of: ['a'], parts: 1000, fen: 11n, rule: 'p/r', reduced: { mode: 'points', parts: 500, from: 1500, filing: 'referred' } })
    expect(replayTrace(traceFromJson(traceJson(trace.steps)))).toEqual(new Map(trace.steps.map(({ name, fen }) => [name, fen])))
  })

  test('is written without what is empty, and read with it; so is one that was written whole', () => {
    const trace = new Trace('half-up')
    trace.given('a', 105n)
    trace.sum('s', ['a'], { rule: 'p/s', label: 'self' })
    trace.sum('none', [])
    expect(JSON.parse(traceJson(trace.steps))).toEqual([
      { name: 'a', operation: 'given', fen: '105' },
      { name: 's', operation: 'sum', of: ['a'], fen: '105', rule: 'p/s', label: 'self' },
      { name: 'none', operation: 'sum', fen: '0' },
    ])
    const whole = JSON.stringify(trace.steps.map((each) => ({ ...each, fen: each.fen.toString(), text: null })))
    expect(whole).toContain('"parts":null')
    expect(traceFromJson(whole)).toEqual(trace.steps)
    expect(traceFromJson(traceJson(trace.steps))).toEqual(trace.steps)
  })

  test('says what people call a number: the words that it was written with, else those of its label or name', () => {
    const old = traceFromJson(JSON.stringify([{ name: 'pool', operation: 'given', of: [], parts: null, fen: '1', text: { zh: '旧', en: 'Old' } }, { name: 'line-1-amount', operation: 'given', of: [], parts: null, fen: '1', text: null }]))
    expect(traceFromJson(traceJson(old))).toEqual(old)
    expect(old.map(stepText)).toEqual([{ zh: '旧', en: 'Old' }, null])
    expect([step({ name: 'pool' }), step({ name: 'deductible-whole', label: 'deductible-inpatient' }), step({ name: 'cap' }), step({ name: 'toString' })].map(stepText)).toEqual([stepLabels.pool, stepLabels['deductible-inpatient'], null, null])
  })

  test('has the names of CodeSystem claim-step, in its order', () => {
    const { concept, count } = JSON.parse(readFileSync(new URL('../../../fhir-profiles/pujiang/code-systems/claim-step.json', import.meta.url), 'utf8')) as { count: number; concept: { code: string; display: string; designation: { language: string; value: string }[] }[] }
    expect(concept.map(({ code, display, designation }) => [code, { zh: display, en: designation.find(({ language }) => language === 'en')?.value }])).toEqual(Object.entries(stepLabels))
    expect(count).toBe(concept.length)
  })

  test('of a policy that rounds down says so in each share, and is replayed so', () => {
    const trace = new Trace('down')
    trace.given('a', 105n)
    expect(trace.share('h', 'a', 1000)).toBe(10n)
    expect(trace.steps[1]?.rounding).toBe('down')
    expect(replayTrace(traceFromJson(traceJson(trace.steps))).get('h')).toBe(10n)
  })

  test('refuses a step that is not there, and one that is there already', () => {
    const trace = new Trace('half-up')
    trace.given('a', 1n)
    expect(() => trace.value('b')).toThrow('Step b is not there yet.')
    expect(() => trace.given('a', 1n)).toThrow('Step a is there already.')
  })
})

describe('replaying finds', () => {
  test.each([
    ['a step that uses what comes later', [step({ name: 's', operation: 'sum', of: ['a'] }), step({ name: 'a' })], 'Step s uses a before it is there.'],
    ['a changed sum', [step({ name: 'a' }), step({ name: 's', operation: 'sum', of: ['a'], fen: 101n })], 'Step s says 101, the sum is 100.'],
    ['a changed share', [step({ name: 'a' }), step({ name: 's', operation: 'share', of: ['a'], parts: 5000, fen: 51n })], 'Step s says 51, the sum is 50.'],
    ['a negative fact', [step({ name: 'a', fen: -1n })], 'Step a says -1, the sum is -1.'],
    ['a ratio that its reduction does not give', [step({ name: 'a' }), step({ name: 's', operation: 'share', of: ['a'], parts: 5000, fen: 50n, reduced: { mode: 'factor', parts: 9000, from: 5000, filing: 'referred' } })], 'Step s says 5000 parts'],
  ])('%s', (_name, steps, message) => {
    expect(() => replayTrace(steps)).toThrow(message)
  })

  test('nothing in a reduction that fits', () => {
    expect(replayTrace([step({ name: 'a' }), step({ name: 's', operation: 'share', of: ['a'], parts: 4500, fen: 45n, reduced: { mode: 'factor', parts: 9000, from: 5000, filing: 'referred' } })]).get('s')).toBe(45n)
  })
})
