/**
 * The limit of a booking: a bare Hono handler that writes with bare postgres.js, in one statement, the very rows that a booking of the platform
 * leaves: place counted, booking, Appointment, care relation, audit rows, idempotency key. Tables of the same shape, with the same indexes.
 * Nothing is loaded, decided, validated or remembered; a full session answers 409.
 *   POST /sample    appointment: FHIR id of a booking to take the rows from; makes the tables and the statement
 *   POST /book      the Parameters of `$book`
 *   POST /answers   texts to be sent by GET /answer/N, N counting from 0
 */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'
import { keyOf, newResourceId, shardOf } from '../../api/src/fhir/id.ts'
import { parseSlotId } from '../../api/src/booking/segments.ts'

const [databaseUrl = '', port = '0', connections = '6'] = process.argv.slice(2)
const sql = postgres(databaseUrl, { max: Number(connections), onnotice: () => {} })

type Row = Record<string, unknown>
/** A row to be written again and again; `fresh` columns hold a value of this booking. */
interface Copy { table: string; columns: { name: string; type: string; value: unknown; fresh: Fresh | null }[] }
type Fresh = 'appointment' | 'key' | 'patient' | 'pid' | 'session' | 'no' | 'content' | 'id' | 'idempotency'

let statement = ''
let parametersOf: (fresh: Record<Fresh, unknown>) => unknown[] = () => []
let sample: { content: Row; idempotent: boolean } = { content: {}, idempotent: false }

const tables: readonly [string, (of: { key: string; appointment: string; request: string }) => string][] = [
  ['booking_patient', ({ key }) => `pid = (select pid from booking where id = '${key}')`],
  ['booking', ({ key }) => `id = '${key}'`],
  ['resource', ({ key }) => `id = '${key}'`],
  ['care_relation', ({ key }) => `reason_id = '${key}'`],
  ['audit_event', ({ request }) => `request_id = '${request}'`],
  ['idempotency', ({ appointment }) => `response like '%${appointment}%'`],
]

async function prepare(appointment: string): Promise<string> {
  const key = keyOf(appointment)
  const [booking] = await sql<{ session_id: string; pid: string; patient: string; no: number }[]>`select session_id, pid, patient, no from booking where id = ${key}`
  const [audited] = await sql<{ request_id: string }[]>`select request_id from audit_event where resource_id = ${appointment} limit 1`
  const [resource] = await sql<{ content: string }[]>`select content from resource where id = ${key}`
  if (!booking || !audited || !resource) throw new Error(`There is no booking ${appointment}.`)
  sample = { content: JSON.parse(resource.content) as Row, idempotent: false }
  const known = new Map<unknown, Fresh>([
    [appointment, 'appointment'], [key, 'key'], [booking.patient, 'patient'], [booking.pid, 'pid'], [booking.session_id, 'session'], [resource.content, 'content'],
  ])
  const copies: Copy[] = []
  await sql.unsafe('create table bare_clinic_session (like clinic_session including defaults including indexes) with (fillfactor = 70); insert into bare_clinic_session select * from clinic_session')
  for (const [table, where] of tables) {
    await sql.unsafe(`create table bare_${table} (like ${table} including defaults including indexes)`)
    const types = await sql<{ name: string; type: string }[]>`select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
      where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`
    const list = types.map(({ name, type }) => `${name}::${type.endsWith('[]') ? type : 'text'} as ${name}`).join(', ')
    for (const row of await sql.unsafe<Row[]>(`select ${list} from ${table} where ${where({ key, appointment, request: audited.request_id })}`)) {
      copies.push({
        table: `bare_${table}`,
        columns: types.map(({ name, type }) => ({ name, type, value: row[name], fresh: freshOf(table, name) ?? known.get(row[name]) ?? null })),
      })
      if (table === 'idempotency') sample.idempotent = true
    }
  }
  compose(copies)
  return `${copies.length + 1} rows: clinic_session, ${[...new Set(copies.map((each) => each.table.slice('bare_'.length)))].join(', ')}`
}

function freshOf(table: string, column: string): Fresh | null {
  if (table === 'booking' && column === 'no') return 'no'
  if (table === 'audit_event' && column === 'id') return 'id'
  if (table === 'idempotency') return column === 'key' ? 'idempotency' : column === 'response' ? 'content' : null
  return null
}

/** What a booking copies from its session. */
const ofSession = ['shard', 'service_date', 'organization', 'department', 'practitioner']

/** One statement for all rows: the counter first, the others from it, so that a full session writes nothing. */
function compose(copies: readonly Copy[]): void {
  const values: ((fresh: Record<Fresh, unknown>) => unknown)[] = [(fresh) => fresh.session]
  const parts = copies.map(({ table, columns }, index) => {
    const selected = columns.map(({ name, type, value, fresh }) => {
      if (fresh === 'no') return 's.used'
      if (table === 'bare_booking' && ofSession.includes(name)) return `s.${name}`
      if (value === null) return `null::${type}`
      values.push(fresh === null ? () => value : (given) => given[fresh])
      return `$${values.length}::${type}`
    })
    const conflict = table === 'bare_booking_patient' ? ' on conflict do nothing' : ''
    return `t${index} as (insert into ${table} (${columns.map(({ name }) => name).join(', ')}) select ${selected.join(', ')} from s${conflict})`
  })
  statement = `with s as (update bare_clinic_session set used = used + 1, changed = pg_current_xact_id() where id = $1::uuid and used < capacity returning used, ${ofSession.join(', ')}), ${parts.join(', ')} select used from s`
  parametersOf = (fresh) => values.map((value) => value(fresh))
}

interface Sent { parameter: { name: string; valueReference?: { reference: string } }[] }
let answers: string[] = []

const app = new Hono()
  .get('/ready', (c) => c.text('ready'))
  .post('/sample', async (c) => c.text(await prepare((await c.req.json<{ appointment: string }>()).appointment)))
  .post('/book', async (c) => {
    const { parameter } = await c.req.json<Sent>()
    const of = (name: string) => parameter.find((each) => each.name === name)?.valueReference?.reference.replace(/^\w+\//, '') ?? ''
    const session = parseSlotId(of('slot'))?.session ?? ''
    const patient = of('patient')
    const appointment = newResourceId(shardOf(keyOf(patient)))
    const content = JSON.stringify({ ...sample.content, id: appointment })
    const rows = await sql.unsafe(statement, parametersOf({
      appointment, key: keyOf(appointment), patient, pid: keyOf(patient), session, no: 0, content, id: newResourceId(0), idempotency: c.req.header('Idempotency-Key') ?? appointment,
    }) as never[], { prepare: true })
    const json = { 'Content-Type': 'application/fhir+json; charset=utf-8' }
    return rows.length === 0 ? c.body('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict"}]}', 409, json) : c.body(content, 200, json)
  })
  .post('/answers', async (c) => {
    answers = await c.req.json<string[]>()
    return c.text('kept')
  })
  .get('/answer/:n', (c) => c.body(answers[Number(c.req.param('n'))] ?? '', 200, { 'Content-Type': 'application/fhir+json; charset=utf-8' }))

serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
