/**
 * The only reader of the environment. Every variable stands in `variables` with its default and why; all faults are reported
 * together and the result is frozen. `docs/configuration.md` is generated from the table.
 */
export interface Variable { name: string; default: string; why: string }

export const variables = [
  { name: 'PORT', default: '8080', why: 'Port of the platform.' },
  { name: 'HOST', default: '127.0.0.1', why: 'Address the servers listen on.' },
  { name: 'PUBLIC_URL', default: '', why: 'Address under which people and systems reach the platform; issuer of its tokens. Unset: http://HOST:PORT.' },
  { name: 'DATABASE_URL', default: '', why: 'A PostgreSQL 15 or newer (or Citus) of your own. Unset: the embedded server, data in DATA_DIR.' },
  { name: 'INSURER_310000_DATABASE_URL', default: '', why: 'Database of the Shanghai insurance centre. Unset: on the same server as the platform.' },
  { name: 'INSURER_320500_DATABASE_URL', default: '', why: 'Database of the neighbouring insurance centre. Unset: on the same server as the platform.' },
  { name: 'DATA_DIR', default: '.data', why: 'Folder of the embedded database and of demonstration keys.' },
  { name: 'POOL_CONNECTIONS_MAX', default: '6', why: 'Database connections of one process, and as many for statements of one plan; 4 to 8 measured best on two cores.' },
  { name: 'INSURER_URL', default: '', why: 'The settlement service the platform talks to. Unset: the Shanghai centre that start launches.' },
  { name: 'INSURER_310000_PORT', default: '8091', why: 'Port of the Shanghai insurance centre.' },
  { name: 'INSURER_320500_PORT', default: '8092', why: 'Port of the neighbouring insurance centre.' },
  { name: 'INSURER_TIMEOUT_MS', default: '8000', why: 'How long the platform waits for an answer of the insurance centre before the state counts as unknown.' },
  { name: 'INSURER_PEERS', default: '', why: 'Centres of other regions that a centre hands claims on to, as `320500=http://…` separated by spaces (set by start).' },
  { name: 'INSURER_PEER_TIMEOUT_MS', default: '5000', why: 'How long a centre waits for the centre of another region before the state counts as unknown; below INSURER_TIMEOUT_MS.' },
  { name: 'REGION', default: '310000', why: 'Region of an insurance centre process (set by start).' },
  { name: 'SEED', default: 'demo', why: 'What an empty database gets: `demo` (2,000 citizens), `none`, or a number of citizens.' },
  { name: 'SIGNING_KEY_FILE', default: '', why: 'File with the private JWK (ES256) that signs access tokens; required in production. Unset: a key made and kept in the database.' },
  { name: 'SECRETS_KEY_FILE', default: '', why: 'File with 32 random bytes in base64url that seal second-factor secrets in the database; required in production. Unset: made and kept in the database.' },
  { name: 'STAFF_SECOND_FACTOR', default: '', why: '`required`: professionals get no further than their account page without an authenticator; `optional`. Unset: required in production, optional otherwise.' },
  { name: 'SIGNING_KEY_DAYS', default: '30', why: 'Days after which the worker makes the next signing key; it signs once it has been published for a quarter of an hour. Keys of SIGNING_KEY_FILE are rotated by hand.' },
  { name: 'TRUSTED_PROXIES', default: '0', why: 'Proxies of our own before the platform; the address of a caller is taken from that many entries of X-Forwarded-For. 0: from the socket.' },
  { name: 'RATE_PERSON', default: '3000', why: 'Points a person, or an app that acts for one, may use in a minute at one process: a read costs 1, a search 2, a write 3, a bundle 10, an export 25. 0: no limit.' },
  { name: 'RATE_SYSTEM', default: '0', why: 'Points a system may use in a minute at one process. 0: no limit.' },
  { name: 'RATE_ANONYMOUS', default: '3000', why: 'Points an address without a token may use in a minute at one process. 0: no limit.' },
  { name: 'BODY_MEGABYTES_MAX', default: '20', why: 'Largest request body accepted.' },
  { name: 'CORS_ORIGINS', default: '', why: 'Origins, separated by spaces, whose pages may use /fhir with a token; `*` for all. Unset: only the public metadata.' },
  { name: 'NODE_ENV', default: '', why: '`production`: no demo accounts, no token command, secrets must be given, secure cookies, fictitious-region IDs refused.' },
  { name: 'LOG_LEVEL', default: 'info', why: 'Least level that is logged: trace, debug, info, warn, error, silent.' },
  { name: 'CLOCK_OFFSET_MINUTES', default: '0', why: 'Moves the clock of all processes; for tests of a certain time of day, refused in production.' },
] as const satisfies readonly Variable[]

type Name = (typeof variables)[number]['name']
export type Environment = Partial<Record<Name, string>> & Record<string, string | undefined>

export interface Config {
  port: number
  host: string
  publicUrl: string
  /** Null: embedded. */
  databaseUrl: string | null
  insurerDatabaseUrls: { '310000': string | null; '320500': string | null }
  dataDir: string
  poolConnectionsMax: number
  insurerUrl: string
  insurerPorts: { '310000': number; '320500': number }
  insurerTimeoutMs: number
  /** Address of each other region's centre. */
  insurerPeers: ReadonlyMap<string, string>
  insurerPeerTimeoutMs: number
  region: '310000' | '320500'
  /** Citizens of the demo city; 0 for none. */
  seedCitizens: number
  signingKeyFile: string | null
  secretsKeyFile: string | null
  /** Professionals without a second factor get no further than setting one up. */
  staffSecondFactor: boolean
  signingKeyDays: number
  /** Proxies of our own before the platform. */
  trustedProxies: number
  /** Points a minute; 0: no limit. */
  rateLimits: { person: number; system: number; anonymous: number }
  bodyBytesMax: number
  /** Origins such as `https://app.example.org`, or `*`. */
  corsOrigins: readonly string[]
  production: boolean
  logLevel: string
  clockOffsetMs: number
}

/** @throws Error that lists every fault. */
export function readConfig(env: Environment = process.env as Environment): Config {
  const faults: string[] = []
  const text = (name: Name): string => env[name]?.trim() || (variables.find((each) => each.name === name)?.default ?? '')
  const optional = (name: Name): string | null => text(name) || null
  const whole = (name: Name, min: number, max: number): number => {
    const value = Number(text(name))
    if (!Number.isInteger(value) || value < min || value > max) faults.push(`${name} must be a whole number from ${min} to ${max}, not "${text(name)}".`)
    return value
  }
  const url = (name: Name): string | null => {
    const value = optional(name)
    if (value !== null && !URL.canParse(value)) faults.push(`${name} must be a URL, not "${value}".`)
    return value
  }

  const production = text('NODE_ENV') === 'production'
  const host = text('HOST')
  const port = whole('PORT', 0, 65_535)
  const insurerPorts = { '310000': whole('INSURER_310000_PORT', 0, 65_535), '320500': whole('INSURER_320500_PORT', 0, 65_535) }
  const region = text('REGION')
  if (region !== '310000' && region !== '320500') faults.push(`REGION must be 310000 or 320500, not "${region}".`)
  const peers = new Map(text('INSURER_PEERS').split(/\s+/).filter((each) => each !== '').map((each) => {
    const [, name = '', address = ''] = /^(\d{6})=(\S+)$/.exec(each) ?? []
    if (!URL.canParse(address)) faults.push(`INSURER_PEERS must be such as 320500=http://127.0.0.1:8092, not "${each}".`)
    return [name, address.replace(/\/$/, '')] as const
  }))
  const seed = text('SEED')
  if (!/^(demo|none|\d{1,7})$/.test(seed)) faults.push(`SEED must be demo, none or a number of citizens, not "${seed}".`)
  const staffSecondFactor = text('STAFF_SECOND_FACTOR')
  if (!['', 'required', 'optional'].includes(staffSecondFactor)) faults.push(`STAFF_SECOND_FACTOR must be required or optional, not "${staffSecondFactor}".`)
  if (production && staffSecondFactor === 'optional') faults.push('STAFF_SECOND_FACTOR can not be optional in production.')
  const logLevel = text('LOG_LEVEL')
  if (!['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(logLevel)) faults.push(`LOG_LEVEL "${logLevel}" is not a level.`)
  if (production && optional('SIGNING_KEY_FILE') === null) faults.push('SIGNING_KEY_FILE must be given in production.')
  if (production && optional('SECRETS_KEY_FILE') === null) faults.push('SECRETS_KEY_FILE must be given in production.')
  if (production && optional('PUBLIC_URL') === null) faults.push('PUBLIC_URL must be given in production.')
  if (production && !text('PUBLIC_URL').startsWith('https://') && text('PUBLIC_URL') !== '') faults.push('PUBLIC_URL must be https in production.')
  if (production && whole('CLOCK_OFFSET_MINUTES', -1e7, 1e7) !== 0) faults.push('CLOCK_OFFSET_MINUTES is refused in production.')

  const corsOrigins = text('CORS_ORIGINS').split(/[\s,]+/).filter((each) => each !== '')
  for (const each of corsOrigins) {
    if (each !== '*' && !(URL.canParse(each) && new URL(each).origin === each)) faults.push(`CORS_ORIGINS must be origins such as https://app.example.org, not "${each}".`)
  }

  const config: Config = {
    port, host,
    publicUrl: (url('PUBLIC_URL') ?? `http://${host}:${port}`).replace(/\/$/, ''),
    databaseUrl: url('DATABASE_URL'),
    insurerDatabaseUrls: { '310000': url('INSURER_310000_DATABASE_URL'), '320500': url('INSURER_320500_DATABASE_URL') },
    dataDir: text('DATA_DIR'),
    poolConnectionsMax: whole('POOL_CONNECTIONS_MAX', 1, 64),
    insurerUrl: (url('INSURER_URL') ?? `http://${host}:${insurerPorts['310000']}`).replace(/\/$/, ''),
    insurerPorts,
    insurerTimeoutMs: whole('INSURER_TIMEOUT_MS', 100, 120_000),
    insurerPeers: peers, insurerPeerTimeoutMs: whole('INSURER_PEER_TIMEOUT_MS', 100, 120_000),
    region: region as Config['region'],
    seedCitizens: seed === 'demo' ? (production ? 0 : 2000) : seed === 'none' ? 0 : Number(seed),
    signingKeyFile: optional('SIGNING_KEY_FILE'),
    secretsKeyFile: optional('SECRETS_KEY_FILE'),
    staffSecondFactor: staffSecondFactor === '' ? production : staffSecondFactor === 'required',
    signingKeyDays: whole('SIGNING_KEY_DAYS', 1, 366),
    trustedProxies: whole('TRUSTED_PROXIES', 0, 8),
    rateLimits: { person: whole('RATE_PERSON', 0, 1e9), system: whole('RATE_SYSTEM', 0, 1e9), anonymous: whole('RATE_ANONYMOUS', 0, 1e9) },
    bodyBytesMax: whole('BODY_MEGABYTES_MAX', 1, 1024) * 1024 * 1024,
    corsOrigins, production, logLevel,
    clockOffsetMs: whole('CLOCK_OFFSET_MINUTES', -1e7, 1e7) * 60_000,
  }
  if (faults.length > 0) throw new Error(`The configuration is not valid:\n- ${faults.join('\n- ')}`)
  return Object.freeze(config)
}
