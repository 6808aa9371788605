/**
 * What the search benchmark searches: the resources of the real bundles beside a checkout, or of generated stays where there are none, copied
 * as often as asked under new ids. Everything else in a copy is as in the first, so what a search finds grows with the copies.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Bundle, Resource } from '@medplum/fhirtypes'
import { stay } from './documents.ts'
import { realBundles } from './benchmarks.ts'

const generatedStays = 150
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The texts of the bundles, `urn:uuid:` references put in the form that the store keeps. */
export function bundleTexts(folder = realBundles): string[] {
  const files = existsSync(folder) ? globSync('**/*.json.gz', { cwd: folder }).sort() : []
  const bundles = files.length > 0
    ? files.map((file) => JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString()) as Bundle)
    : Array.from({ length: generatedStays }, (_, n) => stay(n) as unknown as Bundle)
  const seen = new Set<string>()
  return bundles.map((bundle) => resolved(bundle, seen))
}

/** `seen`: what an earlier bundle had, such as a hospital, is left out. */
function resolved(bundle: Bundle, seen: Set<string>): string {
  const entries = (bundle.entry ?? []).flatMap(({ resource, fullUrl = '' }) => (resource ? [{ resource: { ...resource, id: resource.id ?? fullUrl.slice('urn:uuid:'.length) }, fullUrl }] : []))
  const targets = new Map(entries.map(({ resource, fullUrl }) => [fullUrl, `${resource.resourceType}/${resource.id}`]))
  const fresh = entries.filter(({ fullUrl }) => !seen.has(fullUrl))
  for (const { fullUrl } of fresh) seen.add(fullUrl)
  return JSON.stringify(fresh.map(({ resource }) => resource)).replaceAll(/urn:uuid:[0-9a-f-]{36}/g, (urn) => targets.get(urn) ?? urn)
}

/** The resources of the copies `from` up to but not with `until`. Copy 0 keeps the ids. */
export function* copies(texts: readonly string[], from: number, until: number): Generator<Resource> {
  for (let copy = from; copy < until; copy++) {
    for (const text of texts) yield* JSON.parse(copy === 0 ? text : text.replaceAll(uuid, (id) => otherId(id, copy))) as Resource[]
  }
}

function otherId(id: string, copy: number): string {
  const hash = createHash('md5').update(`${id}/${copy}`).digest('hex')
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20)}`
}
