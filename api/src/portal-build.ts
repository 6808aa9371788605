/** Whether web/dist was built from the sources that are there: a hash over them, remembered beside the build. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from './crypto.ts'

const folders = ['web/src', 'web/public', 'api/src/booking', 'api/src/settlement', 'api/src/access']
const files = ['web/index.html', 'web/vite.config.ts', 'web/package.json', 'package-lock.json']
const stamp = 'web/dist/.built-from'

export function portalIsBuilt(root: string): boolean {
  const path = join(root, stamp)
  return existsSync(path) && readFileSync(path, 'utf8') === sourcesHash(root)
}

export function rememberPortalBuild(root: string): void {
  writeFileSync(join(root, stamp), sourcesHash(root))
}

function sourcesHash(root: string): string {
  const paths = files.filter((file) => existsSync(join(root, file)))
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(root.length)
      if (entry.isFile() && (folder.startsWith('web') || entry.name === 'shapes.ts')) paths.push(path)
    }
  }
  return sha256Hex(paths.sort().map((path) => `${path}:${sha256Hex(readFileSync(join(root, path)))}`).join('\n'))
}
