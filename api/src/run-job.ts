/**
 * Runs a job unless another worker is at it. The advisory locks of all jobs are held by one connection of their own: a lock
 * held on a connection of the pool would keep it from the job, and a handful of jobs would wait for each other for ever.
 * Should that connection be lost the lock is too; two workers may then run a job at once, which every job bears.
 */
import { sql } from 'kysely'
import type { Job, JobDeps } from './catalogue/jobs.ts'
import type { Db } from './storage/pool.ts'

/** @param locks a database of one connection. @returns what the job did; null when another worker is at it. */
export async function runJob(locks: Db, job: Job, deps: JobDeps): Promise<number | null> {
  const key = sql`hashtext(${`job ${job.name}`})`
  const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_lock(${key}) as mine`.execute(locks)
  if (!rows[0]?.mine) return null
  try {
    return await job.run(deps)
  } finally {
    await sql`select pg_advisory_unlock(${key})`.execute(locks)
  }
}
