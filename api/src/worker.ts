/** The background process: runs every job of the catalogue at its interval, one process a job at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { platform } from './access/principal.ts'
import { type Job, jobs } from './catalogue/jobs.ts'
import { readConfig } from './config.ts'
import { makeCtx } from './ctx.ts'
import { demoChannels } from './notices/demo-channels.ts'
import { makeServices } from './platform-services.ts'
import { stopOnSignal } from './process.ts'
import { runJob } from './run-job.ts'
import { openDb } from './storage/pool.ts'

const config = readConfig()
const services = await makeServices(config, 'worker')
const { db, store, gateway, log } = services
const locks = openDb(config.databaseUrl ?? '', { max: 1, name: 'worker-locks' })
const stopped = new AbortController()
// A carrier of messages is for the operator to add; the demonstration has one of its own.
const channels = config.production ? {} : demoChannels(db)
const deps = { db, store, gateway, channels, signingKeyDays: config.signingKeyFile === null ? config.signingKeyDays : null, ctx: () => makeCtx(platform, { now: services.now() }) }

async function loop(job: Job): Promise<void> {
  while (!stopped.signal.aborted) {
    await runJob(locks, job, deps)
      .then((done) => { if (done) log.info({ job: job.name, done }, 'job ran') })
      .catch((error: Error) => { log.error({ job: job.name, error: error.stack }, 'job failed') })
    await sleep(job.everySeconds * 1000, undefined, { signal: stopped.signal }).catch(() => {})
  }
}

const loops = jobs.map(loop)
log.info({ jobs: jobs.length }, 'worker runs')
process.send?.('ready')
stopOnSignal(log, async () => {
  stopped.abort()
  await Promise.all(loops)
  await Promise.all([locks.destroy(), db.destroy()])
})
