/**
 * `npm start`: everything on embedded defaults. Builds the portal when its sources changed, starts or adopts PostgreSQL,
 * migrates, seeds an empty database, then runs the platform, two insurance centres and the worker as processes of their own
 * and restarts one that dies. Ctrl-C stops all of it; what a `kill -9` leaves behind, the next start finds and goes on with.
 * `--seed-only` (npm run seed) grows the city and ends; `--watch` (npm run dev) restarts processes when their code changes.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { demoAccounts, demoPassword } from './catalogue/demo-accounts.ts'
import { type Config, readConfig } from './config.ts'
import { monotonicMs, systemNow } from './ctx.ts'
import { type Databases, prepareDatabases, type Region, regions } from './databases.ts'
import { portalIsBuilt, rememberPortalBuild } from './portal-build.ts'
import { heapFlags } from './process.ts'
import { registerClients } from './register-clients.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (line = '') => { process.stdout.write(`${line}\n`) }
const args = process.argv.slice(2)
const watch = args.includes('--watch')

/** So many citizens, with everyone who has a demo account, an empty database gets before it is ready; the others follow. */
const citizensBeforeReady = 600

interface Part { name: string; file: string; url: string | null; env: Record<string, string>; process: ChildProcess | null }

let stopping = false
/** The generator of the demo city, while it runs. */
let generator: ChildProcess | null = null

async function main(): Promise<void> {
  const started = monotonicMs()
  const config = readConfig()
  if (args.includes('--seed-only')) {
    const databases = await prepareDatabases(config)
    const code = await seed(config, databases, args.filter((each) => each !== '--seed-only'))
    process.exit(code)
  }
  await assertPortsFree(config)
  if (!watch) buildPortal()
  say('浦江健康 Pujiang Health')
  const databases = await prepareDatabases(config)
  say(`  database    ${config.databaseUrl === null ? `embedded, ${config.dataDir}/postgres` : 'DATABASE_URL'}`)
  await registerClients(config, databases, new Date(systemNow().getTime() + config.clockOffsetMs))
  const parts = partsOf(config, databases)
  process.on('SIGINT', () => { void stop(parts, databases) })
  process.on('SIGTERM', () => { void stop(parts, databases) })
  // The centres start while the city is made; the platform and its worker when its people are there.
  for (const part of parts) if (part.file === 'insurer-main.ts') launch(part)
  if (config.seedCitizens > 0) {
    const code = await seed(config, databases, [...demoCity(config), '--first', String(citizensBeforeReady)])
    if (code !== 0 && !stopping) throw new Error('The demo city could not be made; see above.')
  }
  if (stopping) return
  for (const part of parts) if (part.file !== 'insurer-main.ts') launch(part)
  for (const part of parts) await ready(part)
  announce(config, parts, Math.round((monotonicMs() - started) / 100) / 10)
  if (config.seedCitizens > citizensBeforeReady) growCity(config, databases)
  process.send?.('ready')
}

/** A port that someone has would end a part again and again: said before anything is started. */
async function assertPortsFree(config: Config): Promise<void> {
  const ports = { PORT: config.port, INSURER_310000_PORT: config.insurerPorts['310000'], INSURER_320500_PORT: config.insurerPorts['320500'] }
  for (const [name, port] of Object.entries(ports)) {
    // What a `kill -9` of an earlier start left behind needs a moment to notice and end.
    for (let tries = 0; tries < 40 && await isTaken(config.host, port); tries++) await sleep(200)
    if (await isTaken(config.host, port)) {
      throw new Error(`端口 ${port} 已被占用。Port ${port} is in use: Pujiang Health may be running already. Stop it, or choose another with ${name}=…`)
    }
  }
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(true))
    probe.listen(port, host, () => probe.close(() => done(false)))
  })
}

function partsOf(config: Config, databases: Databases): Part[] {
  const common = { NODE_COMPILE_CACHE: `${config.dataDir}/compile-cache`, CLOCK_OFFSET_MINUTES: String(config.clockOffsetMs / 60_000) }
  const platform = { ...common, DATABASE_URL: databases.platform, PUBLIC_URL: config.publicUrl }
  const centreUrl = (region: Region) => `http://${config.host}:${config.insurerPorts[region]}`
  return [
    ...regions.map((region) => ({
      name: `insurer ${region}`, file: 'insurer-main.ts', url: centreUrl(region), process: null,
      env: {
        ...common, DATABASE_URL: databases.insurers[region], PORT: String(config.insurerPorts[region]), PUBLIC_URL: centreUrl(region), REGION: region,
        INSURER_PEERS: regions.filter((other) => other !== region).map((other) => `${other}=${centreUrl(other)}`).join(' '),
      },
    })),
    { name: 'platform', file: 'main.ts', url: `http://${config.host}:${config.port}`, process: null, env: platform },
    { name: 'worker', file: 'worker.ts', url: null, process: null, env: platform },
  ]
}

/** Starts a part; when it dies by itself it is started again, at most once a second. */
function launch(part: Part): void {
  const file = fileURLToPath(new URL(part.file, import.meta.url))
  const child = spawn(process.execPath, [...heapFlags, ...(watch ? ['--watch'] : []), file], {
    cwd: root, env: { ...process.env, ...part.env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  part.process = child
  child.once('exit', (code, signal) => {
    if (stopping) return
    say(`${part.name} ended (${signal ?? code}); starting it again.`)
    setTimeout(() => { if (!stopping) launch(part) }, 1000)
  })
}

async function ready(part: Part): Promise<void> {
  if (part.url === null) return
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`${part.url}/health/ready`, { signal: AbortSignal.timeout(2000) }).catch(() => null)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error(`${part.name} did not become ready within 60 seconds.`)
}

function demoCity(config: Config): string[] {
  return ['--citizens', String(config.seedCitizens), '--days', '14', '--seed', '1', '--if-empty']
}

function seed(config: Config, databases: Databases, more: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, seedCommand(databases, more), { ...seedOptions(config), stdio: 'inherit' })
  generator = child
  return new Promise((done) => {
    child.once('exit', (code) => {
      generator = null
      done(code ?? 1)
    })
  })
}

function seedCommand(databases: Databases, more: readonly string[]): string[] {
  return [
    ...heapFlags, 'seeds/src/seed.ts', '--database-url', databases.platform,
    '--insurer-310000', databases.insurers['310000'], '--insurer-320500', databases.insurers['320500'], ...more,
  ]
}

function seedOptions(config: Config) {
  return { cwd: root, env: { ...process.env, NODE_COMPILE_CACHE: `${config.dataDir}/compile-cache`, CLOCK_OFFSET_MINUTES: String(config.clockOffsetMs / 60_000) } }
}

/** The rest of the demo city moves in while people look around; when it is stopped in between, the next start goes on with it. */
function growCity(config: Config, databases: Databases): void {
  const child = spawn(process.execPath, seedCommand(databases, demoCity(config)), { ...seedOptions(config), stdio: ['ignore', 'pipe', 'inherit'] })
  generator = child
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  const lines: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => { lines.push(text) })
  child.once('exit', (code) => {
    generator = null
    if (stopping) return
    if (code !== 0) say('  The demo city did not grow to its full size; the next start tries again. See above.')
    // Nothing is said by a city that is whole already.
    else if (lines.length > 0) say(`  The demo city has all its ${config.seedCitizens} citizens now.`)
  })
}

function buildPortal(): void {
  if (portalIsBuilt(root)) return
  say('Building the portal …')
  const done = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' })
  if (done.status !== 0) throw new Error('The portal could not be built; see above.')
  rememberPortalBuild(root)
}

function announce(config: Config, parts: readonly Part[], seconds: number): void {
  say(`  platform    ${config.publicUrl}   (FHIR ${config.publicUrl}/fhir)`)
  for (const part of parts) if (part.file === 'insurer-main.ts') say(`  ${part.name.padEnd(11)} ${part.url}`)
  say(`  ready in ${seconds} s`)
  if (!config.production && config.seedCitizens > 0) {
    if (config.seedCitizens > citizensBeforeReady) say(`  The demo city begins with ${citizensBeforeReady} citizens; in its first minute the others move in, up to ${config.seedCitizens}.`)
    say()
    say(`  Demo accounts (password ${demoPassword}):`)
    for (const account of demoAccounts) say(`    ${account.login.padEnd(15)} ${account.zh} · ${account.en}`)
  }
  say()
  say(`  Open ${config.publicUrl} · Ctrl-C stops everything`)
}

async function stop(parts: readonly Part[], databases: Databases): Promise<void> {
  if (stopping) return
  stopping = true
  say('\nStopping …')
  // What it has under way is removed and made again by the next start.
  generator?.kill('SIGKILL')
  await Promise.all(parts.map((part) => new Promise<void>((done) => {
    const child = part.process
    if (!child || child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 8000).unref()
  })))
  databases.server?.stop('fast')
  process.exit(0)
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
