/** What a phone must load before one can book, measured on a real build: 150 KB of script in all, 40 KB for any page on top of the shell. */
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { build } from 'vite'

interface Chunk { type: 'chunk' | 'asset'; fileName: string; facadeModuleId?: string | null; isEntry?: boolean; imports?: string[]; code?: string; source?: string | Uint8Array }

describe('the built portal', () => {
  let chunks = new Map<string, Chunk>()

  beforeAll(async () => {
    const built = await build({
      root: new URL('..', import.meta.url).pathname, logLevel: 'error', mode: 'production', build: { write: false },
      // The test runner's own environment would ask for the libraries' development builds.
      define: { 'process.env.NODE_ENV': '"production"' },
    })
    const output = (built as unknown as { output: Chunk[] }).output
    chunks = new Map(output.map((each) => [each.fileName, each]))
  }, 60_000)

  /** A file with everything it imports at once. */
  function withImports(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen
    seen.add(file)
    for (const each of chunks.get(file)?.imports ?? []) withImports(each, seen)
    return seen
  }
  const kilobytes = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + gzipSync(chunks.get(file)?.code ?? '', { level: 9 }).length, 0) / 1024
  const page = (end: string) => [...chunks.values()].find((each) => each.facadeModuleId?.endsWith(end))?.fileName ?? ''
  const shell = () => withImports([...chunks.values()].find((each) => each.isEntry)?.fileName ?? '')

  test('needs at most 150 KB of script for the whole booking path', () => {
    const path = shell()
    for (const each of ['i18n/zh.ts', 'sign-in.vue', 'home.vue', 'departments.vue', 'hospitals.vue', 'doctors.vue', 'times.vue', 'who.vue', 'check.vue', 'done.vue']) {
      expect(page(each), each).not.toBe('')
      withImports(page(each), path)
    }
    expect(kilobytes(path)).toBeLessThan(150)
  })

  test('adds at most 40 KB for any page', () => {
    const loaded = shell()
    for (const chunk of chunks.values()) {
      if (!chunk.facadeModuleId?.includes('/pages/')) continue
      const own = [...withImports(chunk.fileName)].filter((each) => !loaded.has(each))
      expect(kilobytes(own), chunk.facadeModuleId).toBeLessThan(40)
    }
  })

  test('has no inline script and no address of another host', () => {
    const html = String(chunks.get('index.html')?.source ?? '')
    expect(html).toContain('<script')
    for (const [, attributes, body] of html.matchAll(/<script([^>]*)>([^<]*)<\/script>/g)) {
      expect(attributes).toContain('src="/')
      expect(body?.trim()).toBe('')
    }
    expect(html).not.toMatch(/(src|href)="https?:/)
  })
})
