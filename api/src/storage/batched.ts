/**
 * Joins calls that arrive together into one: at most two batches under way, each of at most `max` members. An idle server
 * sends at once, so nothing waits at low load. A batch that fails is run again member by member, so that one bad member does not
 * fail the others; after a moment, for when a connection was lost the driver has to see that first. Measured: docs/decisions/0002-storage.md, docs/bench.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'

const underWayMax = 2
const failurePauseMs = 10

export interface Batching<A, R> {
  max: number
  /** One result a member, in their order. */
  run(members: A[]): Promise<R[]>
  /** Members with the same key are never under way at the same time; null is nobody's key. */
  keyOf?(member: A): string | null
  /** Members of a lane share batches, in the order of arrival, but a lane is in one batch at a time: the row that they all lock. */
  laneOf?(member: A): string | null
  /** Runs one member of a batch that failed; `run` of it alone unless said. */
  runAlone?(member: A): Promise<R>
}

export function batched<A, R>({ max, run, keyOf = () => null, laneOf = () => null, runAlone }: Batching<A, R>): (member: A) => Promise<R> {
  interface Waiting { member: A; key: string | null; lane: string | null; resolve: (result: R) => void; reject: (error: unknown) => void }
  let queue: Waiting[] = []
  const busy = new Set<string>()
  const busyLanes = new Set<string>()
  let underWay = 0
  let scheduled = false

  async function runBatch(batch: Waiting[]): Promise<void> {
    try {
      const results = await run(batch.map((each) => each.member))
      batch.forEach((each, index) => { each.resolve(results[index] as R) })
    } catch (failure) {
      const [only] = batch
      if (batch.length === 1 && !runAlone) {
        only?.reject(failure)
        return
      }
      await sleep(failurePauseMs)
      if (!runAlone) for (const each of batch) await runBatch([each])
      else for (const each of batch) await runAlone(each.member).then(each.resolve, each.reject)
    }
  }

  /** The first members whose keys and lanes are free. */
  function nextBatch(): Waiting[] {
    const batch: Waiting[] = []
    const left: Waiting[] = []
    for (const each of queue) {
      if (batch.length >= max || (each.key !== null && busy.has(each.key)) || (each.lane !== null && busyLanes.has(each.lane))) {
        left.push(each)
        continue
      }
      if (each.key !== null) busy.add(each.key)
      batch.push(each)
    }
    for (const { lane } of batch) if (lane !== null) busyLanes.add(lane)
    queue = left
    return batch
  }

  function flush(): void {
    scheduled = false
    while (queue.length > 0 && underWay < underWayMax) {
      const batch = nextBatch()
      if (batch.length === 0) return
      underWay++
      void runBatch(batch).finally(() => {
        for (const { key } of batch) if (key !== null) busy.delete(key)
        for (const { lane } of batch) if (lane !== null) busyLanes.delete(lane)
        underWay--
        flush()
      })
    }
  }

  return (member) => new Promise<R>((resolve, reject) => {
    queue.push({ member, key: keyOf(member), lane: laneOf(member), resolve, reject })
    if (!scheduled && underWay < underWayMax) {
      scheduled = true
      setImmediate(flush)
    }
  })
}

/** Batches whose members all belong to one group. A group is kept only while it has members. */
export function batchedByGroup<A, R>(groupOf: (member: A) => string, batching: Batching<A, R>): (member: A) => Promise<R> {
  const groups = new Map<string, { join: (member: A) => Promise<R>; members: number }>()
  return async (member) => {
    const name = groupOf(member)
    let group = groups.get(name)
    if (!group) groups.set(name, group = { join: batched(batching), members: 0 })
    group.members++
    try {
      return await group.join(member)
    } finally {
      group.members--
      if (group.members === 0) groups.delete(name)
    }
  }
}

/** The joiner of each database, made when it is first needed and gone with the database. */
export function perDatabase<D extends object, A, R>(make: (db: D) => (member: A) => Promise<R>): (db: D, member: A) => Promise<R> {
  const joiners = new WeakMap<D, (member: A) => Promise<R>>()
  return (db, member) => {
    let joiner = joiners.get(db)
    if (!joiner) joiners.set(db, joiner = make(db))
    return joiner(member)
  }
}
