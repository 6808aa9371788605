/**
 * Who may import whom, as data; the same table stands in docs/architecture.md. A file may import from its own area and from
 * areas on lower lines, never from a neighbour on its line or from above. First match decides, so the narrower pattern stands first.
 */

interface Layer { area: string; line: number; files: RegExp }

const area = (line: number, name: string, files: RegExp): Layer => ({ area: name, line, files })

const layers: readonly Layer[] = [
  area(90, 'api tests', /^api\/test\//),
  area(70, 'app', /^api\/src\/(app|insurer-app)\.ts$/),
  area(60, 'http', /^api\/src\/http\//),
  area(55, 'services', /^api\/src\/services\.ts$/),
  area(50, 'catalogue', /^api\/src\/catalogue\//),
  area(40, 'booking', /^api\/src\/booking\//),
  area(40, 'settlement', /^api\/src\/settlement\//),
  area(40, 'insurer', /^api\/src\/insurer\//),
  area(40, 'public-health', /^api\/src\/public-health\//),
  area(30, 'records', /^api\/src\/records\//),
  area(20, 'access', /^api\/src\/access\//),
  area(20, 'terminology', /^api\/src\/terminology\//),
  area(20, 'audit', /^api\/src\/audit\//),
  area(20, 'notices', /^api\/src\/notices\//),
  area(12, 'storage', /^api\/src\/storage\//),
  area(11, 'config', /^api\/src\/config\.ts$/),
  area(6, 'ctx', /^api\/src\/ctx\.ts$/),
  area(5, 'fhir', /^api\/src\/fhir\//),
  area(5, 'crypto', /^api\/src\/crypto\.ts$/),
  area(5, 'log', /^api\/src\/log\.ts$/),

  area(80, 'processes', /^api\/src\/[^/]+\.ts$/), // The programs, and what only they use.

  area(80, 'processes', /^seeds\/src\/seed\.ts$/),
  area(65, 'seeds', /^seeds\//),
  area(2, 'fhir-profiles', /^fhir-profiles\//),
  area(2, 'migrations', /^migrations\//),

  area(80, 'portal', /^web\/src\/(main|App|router)\.(ts|vue)$/),
  area(70, 'pages', /^web\/src\/pages\//),
  area(30, 'portal ui', /^web\/src\/components\/ui\//),
  area(60, 'components', /^web\/src\/components\//),
  area(50, 'composables', /^web\/src\/composables\//),
  area(45, 'session', /^web\/src\/session\.ts$/),
  area(40, 'portal api', /^web\/src\/api\//),
  area(20, 'i18n', /^web\/src\/i18n\//),
  area(20, 'styles', /^web\/src\/styles\//),
]

/** Types that everybody may name whatever the line: JSON shapes and the caller. Only `import type`. */
const sharedTypes = /^api\/src\/(.*\/shapes|access\/principal)\.ts$/

/** Imports that the table refuses and that are right all the same, each with its reason. */
const exceptions: readonly { from: RegExp; to: RegExp; why: string }[] = [
  { from: /^api\/src\/access\/scopes\.ts$/, to: /^api\/src\/records\/search\/keys\.ts$/, why: 'a scope that names a category asks for the key that the writer stored' },
]

export interface Import { path: string; typeOnly: boolean }

/** What is wrong with an import from one file of the repository to another, or null. */
export function importFault(from: string, to: Import): string | null {
  if (from.startsWith('web/') && to.path.startsWith('api/')) return to.typeOnly ? null : 'the portal imports the server as types only'
  if (/\.(test|examples)\.ts$/.test(from) || from.startsWith('api/test/')) return null
  if (/^(api\/src|web\/src|seeds)\//.test(from) && /\.test\.ts$|^api\/test\//.test(to.path)) return 'the product does not import tests'
  const importer = layers.find((each) => each.files.test(from))
  const imported = layers.find((each) => each.files.test(to.path))
  if (!importer || !imported || importer.area === imported.area) return null
  if (to.typeOnly && sharedTypes.test(to.path)) return null
  if (exceptions.some((each) => each.from.test(from) && each.to.test(to.path))) return null
  if (importer.area === 'components' && (imported.area === 'portal api' || imported.area === 'session')) return 'components import neither api nor session; what they show comes in as props'
  if (imported.area === 'config' && !to.typeOnly && importer.line < 80) return 'config is read by the processes; others receive the value they use'
  if (importer.line > imported.line) return null
  return importer.line === imported.line ? `${importer.area} and ${imported.area} do not know each other` : `${importer.area} stands below ${imported.area}`
}

/** True when a file of the server or the portal has no line in the table. */
export function isUnplaced(path: string): boolean {
  return /^(api|web)\/src\//.test(path) && !/\.(test|examples|d)\.ts$/.test(path) && !layers.some((each) => each.files.test(path))
}
