import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DayRow, dayListLines, dayListText, readDayList } from './clearing-message.ts'

const row = fc.record({
  messageId: fc.stringMatching(/^[A-Z0-9]{30}$/), kind: fc.constantFrom('settle', 'reverse'), settlementId: fc.uuid(), scheme: fc.constantFrom('310', '390'),
  medicalType: fc.constantFrom('11', '21'), institution: fc.stringMatching(/^[A-Z0-9]{12}$/), decidedAt: fc.constant('2026-11-23T01:02:03.004Z'),
  fundFen: fc.bigInt(-9_999_999n, 9_999_999n), accountFen: fc.bigInt(-9_999_999n, 9_999_999n), cashFen: fc.bigInt(-9_999_999n, 9_999_999n),
}).map((parts) => ({ ...parts, totalFen: parts.fundFen + parts.accountFen + parts.cashFen }) as DayRow)

async function textOf(rows: readonly DayRow[]): Promise<string> {
  return (await Array.fromAsync(dayListText(rows))).join('')
}

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += size) yield text.slice(from, from + size)
}

test('a list comes back as it was, in whatever pieces it travels', async () => {
  await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), async (rows, size) => {
    expect(await Array.fromAsync(readDayList(inPieces(await textOf(rows), size)))).toEqual(rows)
  }), { numRuns: 60 })
})

test('a list that is cut, lacks a line or has a changed amount is refused', async () => {
  await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 6 }), fc.nat(), async (rows, at) => {
    const text = await textOf(rows)
    await expect(Array.fromAsync(readDayList(inPieces(text.slice(0, at % text.length), 64)))).rejects.toThrow(/list/)
    const lines = text.split('\n')
    await expect(Array.fromAsync(readDayList(inPieces([...lines.slice(0, 1), ...lines.slice(2)].join('\n'), 64)))).rejects.toThrow(/add up/)
    const changed = lines.map((line, index) => (index === 1 ? line.replace(/-?\d+$/, '12345678901') : line)).join('\n')
    await expect(Array.fromAsync(readDayList(inPieces(changed, 64)))).rejects.toThrow(/can't be read/)
  }), { numRuns: 40 })
})

test('the lines of a list are its text without columns and end, which say what there should be; what is cut or goes on is refused', async () => {
  await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 6 }), fc.integer({ min: 1, max: 300 }), fc.nat(), async (rows, size, at) => {
    const text = await textOf(rows)
    const end = { count: -1n, totalFen: 0n }
    const lines = (await Array.fromAsync(dayListLines(inPieces(text, size), end))).join('')
    expect(lines).toBe(text.split('\n').slice(1, -2).map((line) => `${line}\n`).join(''))
    expect(end).toEqual({ count: BigInt(rows.length), totalFen: rows.reduce((sum, each) => sum + each.totalFen, 0n) })
    for (const broken of [text.slice(0, at % text.length), `${text}x`, `${text}${lines}x\n`, `x${text}`, text.replace('#end\t', '#end\tx')]) {
      await expect(Array.fromAsync(dayListLines(inPieces(broken, size), { count: -1n, totalFen: 0n }))).rejects.toThrow(/list/)
    }
  }), { numRuns: 60 })
})
