/**
 * A table of counts in which nobody can be found: what is below the threshold is hidden, and so much beside it that no hidden number follows
 * from the totals. Cells and totals are the edges of a circulation (total → row → column → total), hidden edges are the unknown flows.
 * Invariant: of every hidden number another value fits everything that is shown. That is so exactly when a cycle of hidden edges leads
 * through it along which one unit can be moved, forwards always, backwards where there is one. Pure. Source: docs/decisions/0037-small-cells.md.
 */
export interface CountTable { cells: readonly (readonly number[])[] }
/** Null where hidden. */
export interface ShownTable { cells: (number | null)[][]; rowTotals: (number | null)[]; columnTotals: (number | null)[]; total: number | null }

interface Edge { from: number; to: number; value: number; isTotal: boolean }

/** @param threshold counts from 0 up to below it are hidden, zeros too: that somebody is there is told as little as that nobody is. */
export function suppress({ cells }: CountTable, threshold: number): ShownTable {
  const rows = cells.length
  const columns = cells[0]?.length ?? 0
  const edges = edgesOf(cells, rows, columns)
  const hidden = new Set(edges.filter((edge) => edge.value < threshold))
  const at: Edge[][] = Array.from({ length: rows + columns + 2 }, () => [])
  for (const edge of edges) for (const node of [edge.from, edge.to]) at[node]?.push(edge)
  // What is hidden later takes no cycle away.
  for (const edge of edges) if (hidden.has(edge)) for (const other of cheapestCycle(edge, at, hidden) ?? edges) hidden.add(other)
  const shown = (index: number) => (hidden.has(edges[index] as Edge) ? null : (edges[index] as Edge).value)
  return {
    cells: Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (__, column) => shown(row * columns + column))),
    rowTotals: Array.from({ length: rows }, (_, row) => shown(rows * columns + row)), columnTotals: Array.from({ length: columns }, (_, column) => shown(rows * columns + rows + column)),
    total: shown(rows * columns + rows + columns),
  }
}

/** Cells row by row, then totals of rows, of columns, and of all. Nodes: rows, then columns, then source and sink. */
function edgesOf(cells: readonly (readonly number[])[], rows: number, columns: number): Edge[] {
  const [source, sink] = [rows + columns, rows + columns + 1]
  const sum = (values: readonly number[]) => values.reduce((all, each) => all + each, 0)
  return [
    ...cells.flatMap((row, at) => row.map((value, column) => ({ from: at, to: rows + column, value, isTotal: false }))),
    ...cells.map((row, at) => ({ from: source, to: at, value: sum(row), isTotal: true })),
    ...Array.from({ length: columns }, (_, column) => ({ from: rows + column, to: sink, value: sum(cells.map((row) => row[column] ?? 0)), isTotal: true })),
    { from: sink, to: source, value: sum(cells.flat()), isTotal: true },
  ]
}

/** What must be hidden beside a hidden edge so that its value may be another: the edges of the cheapest cycle through it. `at`: edges by node. */
function cheapestCycle(edge: Edge, at: readonly Edge[][], hidden: ReadonlySet<Edge>): Edge[] | undefined {
  // One more fits, or one less does.
  const ways = [cheapestWay(edge.to, edge.from, edge, at, hidden), edge.value > 0 ? cheapestWay(edge.from, edge.to, edge, at, hidden) : null].filter((way) => way !== null)
  return ways.sort((a, b) => a.cost - b.cost)[0]?.way
}

interface Way { cost: number; way: Edge[] }

/** A way in the residual graph that does not use the edge itself. What is hidden already costs nothing, small counts less than large ones, totals most. */
function cheapestWay(from: number, to: number, without: Edge, at: readonly Edge[][], hidden: ReadonlySet<Edge>): Way | null {
  const costs = at.map(() => Number.POSITIVE_INFINITY)
  const reachedBy = new Map<number, { edge: Edge; before: number }>()
  const open = new Set([from])
  const done = new Set<number>()
  costs[from] = 0
  while (open.size > 0) {
    let node = to
    for (const each of open) if ((costs[each] as number) < (costs[node] as number) || !open.has(node)) node = each
    if (node === to) break
    open.delete(node)
    done.add(node)
    for (const edge of at[node] as readonly Edge[]) {
      const other = edge === without ? null : edge.from === node ? edge.to : edge.value > 0 ? edge.from : null
      if (other === null || done.has(other)) continue
      const cost = (costs[node] as number) + (hidden.has(edge) ? 0 : (edge.isTotal ? 10_000 : 1000) + Math.min(edge.value, 999))
      if (cost >= (costs[other] as number)) continue
      costs[other] = cost
      reachedBy.set(other, { edge, before: node })
      open.add(other)
    }
  }
  if (!Number.isFinite(costs[to])) return null
  const way: Edge[] = []
  for (let step = reachedBy.get(to); step !== undefined; step = reachedBy.get(step.before)) way.push(step.edge)
  return { cost: costs[to] as number, way }
}
