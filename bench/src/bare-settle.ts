/** The limit of a settlement: the rows of one claim in one transaction with bare postgres.js, nothing read, decided or checked. */
import { randomUUID } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'

const [url = '', port = '0'] = process.argv.slice(2)
const db = postgres(url, { max: 6, onnotice: () => {} })

interface Sent { identifier: { value: string }[]; patient: { identifier: { value: string } }; total: { value: number } }

const app = new Hono()
app.get('/ready', (c) => c.text('ok'))
app.post('/settle', async (c) => {
  const text = await c.req.text()
  const claim = JSON.parse(text) as Sent
  const message = `B${claim.identifier[0]?.value ?? ''}`
  const person = claim.patient.identifier.value
  const fen = Math.round(claim.total.value * 100)
  await db.begin(async (trx) => {
    await trx`select 1 from insured_person where psn_no = ${person} for update`
    await trx`insert into claim (message_id, client_id, state, body_hash, psn_no, scheme, year_from, service_date, policy, content, response_id, response, received_at, provider, settled_day, total_fen, fund_fen, cash_fen)
      values (${message}, 'bare', 'settled', 'x', ${person}, 310, '2026-07-01', '2026-11-20', 'p', ${text}, ${randomUUID()}, ${text}, now(), 'H31010100001', current_date, ${fen}, 0, ${fen})`
    await trx`insert into accumulator (psn_no, scheme, year_from, above_deductible_fen) values (${person}, 310, '2026-07-01', ${fen})
      on conflict (psn_no, scheme, year_from) do update set above_deductible_fen = accumulator.above_deductible_fen + ${fen}`
    await trx`insert into fund_entry (id, message_id, kind, debit_account, credit_account, provider, amount_fen, recorded_at)
      values (${randomUUID()}, ${message}, 'settle', 'fund', 'provider', 'H31010100001', ${fen}, now()), (${randomUUID()}, ${message}, 'settle', 'account', 'provider', 'H31010100001', ${fen}, now())`
  })
  return c.json({ resourceType: 'ClaimResponse', outcome: 'complete' })
})
serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
