/** The background process: runs every job of the catalogue at its interval, one process a job at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { platform } from './access/principal.ts'
import { type Job, jobs } from './catalogue/jobs.ts'
import { readConfig } from './config.ts'
import { makeCtx } from './ctx.ts'
import { makeServices } from './platform-services.ts'
import { stopOnSignal } from './process.ts'
import { inTransaction } from './storage/transaction.ts'

const config = readConfig()
const services = await makeServices(config, 'worker')
const { db, store, gateway, log } = services
const stopped = new AbortController()

/** Runs a job unless another worker is at it: an advisory lock held by a transaction of its own. */
async function runOnce(job: Job): Promise<void> {
  await inTransaction(db, async (trx) => {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(hashtext(${`job ${job.name}`})) as mine`.execute(trx)
    if (!rows[0]?.mine) return
    const done = await job.run({ db, store, gateway, ctx: () => makeCtx(platform, { now: services.now() }) })
    if (done > 0) log.info({ job: job.name, done }, 'job ran')
  })
}

async function loop(job: Job): Promise<void> {
  while (!stopped.signal.aborted) {
    await runOnce(job).catch((error: Error) => { log.error({ job: job.name, error: error.stack }, 'job failed') })
    await sleep(job.everySeconds * 1000, undefined, { signal: stopped.signal }).catch(() => {})
  }
}

const loops = jobs.map(loop)
log.info({ jobs: jobs.length }, 'worker runs')
process.send?.('ready')
stopOnSignal(log, async () => {
  stopped.abort()
  await Promise.all(loops)
  await db.destroy()
})
