/** `npm run token -- --client ID [--user LOGIN] [--scope "…"]`: prints one access token and nothing else. Demo and test settings only. */
import { parseArgs } from 'node:util'
import { mintDemoToken } from './mint-token.ts'
import { readConfig } from './config.ts'
import { print } from './output.ts'

try {
  const { values } = parseArgs({ options: { client: { type: 'string' }, user: { type: 'string' }, scope: { type: 'string' } } })
  await print(`${await mintDemoToken(readConfig(), { client: values.client ?? null, user: values.user ?? null, scope: values.scope ?? null })}\n`)
  process.exit(0)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\nUsage: npm run --silent token -- --client ID [--user LOGIN] [--scope "…"]\n`)
  process.exit(1)
}
