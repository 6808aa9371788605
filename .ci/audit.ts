/**
 * Known weaknesses in what runs in production, asked of the registry's audit endpoint. High and critical ones fail the build. A
 * registry without that endpoint, or none in reach, is said plainly and does not fail it: then nothing has been checked.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface Report { metadata?: { vulnerabilities?: Record<string, number> }; vulnerabilities?: Record<string, { severity: string; range: string }>; message?: string; error?: { summary?: string } }

const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', timeout: 60_000 })
const report = parsed(stdout)
const say = (line: string) => { process.stdout.write(`${line}\n`) }

if (!report?.metadata?.vulnerabilities) {
  say(`dependency audit: NOT CHECKED, the registry's audit endpoint did not answer (${(report?.message ?? report?.error?.summary ?? stderr.split('\n')[0] ?? '').slice(0, 120)}).`)
} else {
  const grave = Object.entries(report.vulnerabilities ?? {}).filter(([, each]) => each.severity === 'high' || each.severity === 'critical')
  for (const [name, each] of grave) say(`  ${each.severity}: ${name} ${each.range}`)
  say(`dependency audit: ${Object.entries(report.metadata.vulnerabilities).map(([severity, count]) => `${count} ${severity}`).join(', ')}`)
  if (grave.length > 0) process.exit(1)
}

function parsed(text: string): Report | null {
  try {
    return JSON.parse(text) as Report
  } catch {
    return null
  }
}
