/**
 * `npm run account -- list | add | role | password | end`: the accounts of professionals, who do not register by themselves. A new password is printed once,
 * counts for three days and is changed by the person under 我的账户 › 密码与验证器.
 */
import { parseArgs } from 'node:util'
import { addStaff, endStaff, listStaff, renewStaffPassword, roleOfStaff } from './staff-commands.ts'
import { readConfig } from './config.ts'
import { systemNow } from './ctx.ts'
import { withDatabases } from './databases.ts'
import { OutcomeError } from './fhir/outcome.ts'
import { print } from './output.ts'
import { openDb } from './storage/pool.ts'
import { outcomeOf } from './storage/sqlstate.ts'

const usage = `Usage: npm run --silent account -- list
       npm run --silent account -- add --login LOGIN --name NAME --role ROLE [what the role is held for]
       npm run --silent account -- role --login LOGIN --role ROLE [what the role is held for]
       npm run --silent account -- password --login LOGIN [--factor-lost]
       npm run --silent account -- end --login LOGIN [--organization ID]
Roles: clinician and gp with --practitioner ID --organization ID; scheduler and insurer with --organization ID; public-health;
       admin-system, admin-security and admin-audit with --id-number and --name as the person index has them.`

const commands = { list: listStaff, add: addStaff, role: roleOfStaff, password: renewStaffPassword, end: endStaff }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    login: { type: 'string' }, name: { type: 'string' }, role: { type: 'string' }, practitioner: { type: 'string' }, organization: { type: 'string' }, 'id-number': { type: 'string' }, 'factor-lost': { type: 'boolean' },
  } })
  const command = commands[positionals[0] as keyof typeof commands] as (typeof commands)[keyof typeof commands] | undefined
  if (!command || positionals.length !== 1) throw new Error(`What is to be done?\n${usage}`)
  const config = readConfig()
  await withDatabases(config, async ({ platform }) => {
    const db = openDb(platform, { max: 1, name: 'account' })
    try {
      for (const line of await command(db, new Date(systemNow().getTime() + config.clockOffsetMs), values)) await print(`${line}\n`)
    } finally {
      await db.destroy()
    }
  })
}

main().then(() => process.exit(0), (error: Error) => {
  const outcome = error instanceof OutcomeError ? error : outcomeOf(error)
  const sentences = outcome === null ? [error.message] : outcome.issues.map(({ text }) => `${text.zh} ${text.en}`)
  process.stderr.write(`${sentences.join('\n')}\n`)
  process.exit(1)
})
