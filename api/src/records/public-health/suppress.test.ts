/** No hidden number can be computed: whoever tries every table that fits what is shown finds at least two values for each. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ShownTable, suppress } from './suppress.ts'

const sum = (values: readonly number[]) => values.reduce((all, each) => all + each, 0)

/** Every hidden number has another value that fits: by trying all fillings of a small table, up to a bound above what is there. */
function determined(shown: ShownTable, bound: number): number {
  const places = shown.cells.flatMap((row, r) => row.flatMap((value, c) => (value === null ? [[r, c] as const] : [])))
  const values = [...shown.cells.flat().map(() => new Set<number>()), ...shown.rowTotals.map(() => new Set<number>()), ...shown.columnTotals.map(() => new Set<number>()), new Set<number>()]
  const filled = shown.cells.map((row) => row.map((value) => value ?? 0))
  const fits = (known: number | null, value: number) => known === null || known === value
  const attempt = (at: number): void => {
    const place = places[at]
    if (place === undefined) {
      const rows = filled.map(sum)
      const columns = shown.columnTotals.map((_, c) => sum(filled.map((row) => row[c] ?? 0)))
      if (!rows.every((value, r) => fits(shown.rowTotals[r] ?? null, value)) || !columns.every((value, c) => fits(shown.columnTotals[c] ?? null, value)) || !fits(shown.total, sum(rows))) return
      for (const [index, value] of [...filled.flat(), ...rows, ...columns, sum(rows)].entries()) values[index]?.add(value)
      return
    }
    const row = filled[place[0]] as number[]
    for (let value = 0; value <= bound; value++) {
      row[place[1]] = value
      attempt(at + 1)
    }
  }
  attempt(0)
  const hidden = [...shown.cells.flat(), ...shown.rowTotals, ...shown.columnTotals, shown.total].map((value) => value === null)
  return hidden.filter((each, index) => each && (values[index]?.size ?? 0) < 2).length
}

// A threshold of three: the same question in numbers small enough to try them all.
test.each([[2, 2], [2, 3], [3, 2]])('a table of %i rows and %i columns, tried out', (rows, columns) => {
  fc.assert(fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }), (cells) => {
    const shown = suppress({ cells }, 3)
    for (const [r, row] of cells.entries()) for (const [c, value] of row.entries()) if (value < 3) expect(shown.cells[r]?.[c]).toBeNull()
    for (const [r, row] of cells.entries()) if (sum(row) < 3) expect(shown.rowTotals[r]).toBeNull()
    for (const [c, total] of shown.columnTotals.entries()) if (sum(cells.map((row) => row[c] ?? 0)) < 3) expect(total).toBeNull()
    expect(determined(shown, 5)).toBe(0)
  }), { numRuns: 60, seed: 7 })
})

test('one small number takes others with it, and no more than it needs', () => {
  const shown = suppress({ cells: [[3, 40, 50], [30, 41, 51], [31, 42, 52]] }, 10)
  expect(shown.cells[0]?.[0]).toBeNull()
  expect([...shown.cells.flat(), ...shown.rowTotals, ...shown.columnTotals, shown.total].filter((value) => value === null)).toHaveLength(4)
  expect(suppress({ cells: [[10, 20], [30, 40]] }, 10)).toEqual({ cells: [[10, 20], [30, 40]], rowTotals: [30, 70], columnTotals: [40, 60], total: 100 })
  expect(suppress({ cells: [[0, 0], [0, 0]] }, 10).total).toBeNull()
})

test('a table of forty diseases and eighteen districts is quick', () => {
  const cells = Array.from({ length: 40 }, (_, r) => Array.from({ length: 18 }, (__, c) => ((r * 31 + c * 17) % 13) * (r % 4)))
  const shown = suppress({ cells }, 10)
  expect(shown.cells.flat().every((value, index) => value === null || value === cells.flat()[index])).toBe(true)
})
