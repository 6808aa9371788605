/** An insurance centre as a process of its own, which a test can kill and start again. */
import { type TestProcess, testProcess } from './process.ts'

/** Call at the top level of a test file. @param databaseUrl of a migrated centre's database. */
export function centreProcess(databaseUrl: string): Promise<TestProcess> {
  return testProcess('insurer-main.ts', '/health/ready', { DATABASE_URL: databaseUrl, REGION: '310000' })
}
