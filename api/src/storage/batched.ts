/**
 * Joins calls that arrive together into one: at most two batches under way, each of at most `max` members. An idle server
 * sends at once, so nothing waits at low load. A batch that fails is run again member by member, so that one bad member does not
 * fail the others. Measured: docs/decisions/0002-storage.md.
 */
const underWayMax = 2

export function batched<A, R>(max: number, run: (members: A[]) => Promise<R[]>): (member: A) => Promise<R> {
  interface Waiting { member: A; resolve: (result: R) => void; reject: (error: unknown) => void }
  const queue: Waiting[] = []
  let underWay = 0
  let scheduled = false

  async function runBatch(batch: Waiting[]): Promise<void> {
    try {
      const results = await run(batch.map((each) => each.member))
      batch.forEach((each, index) => { each.resolve(results[index] as R) })
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error)
      else for (const each of batch) await runBatch([each])
    }
  }

  function flush(): void {
    scheduled = false
    while (queue.length > 0 && underWay < underWayMax) {
      underWay++
      void runBatch(queue.splice(0, max)).finally(() => {
        underWay--
        flush()
      })
    }
  }

  return (member) => new Promise<R>((resolve, reject) => {
    queue.push({ member, resolve, reject })
    if (!scheduled && underWay < underWayMax) {
      scheduled = true
      setImmediate(flush)
    }
  })
}
