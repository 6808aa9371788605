/**
 * `npm run docs`: writes the pages that are generated from the code, so that they cannot say something else than it does.
 * With `--check` nothing is written and a page that is out of date is a fault.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accessMatrixPage } from '../api/src/access/matrix-page.ts'
import { variables } from '../api/src/config.ts'
import { shapeNames } from '../api/src/http/openapi/endpoints.ts'
import { shapesText } from './shapes.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const pages: readonly { file: string; render(): string }[] = [
  { file: 'docs/configuration.md', render: configuration }, { file: 'docs/access-matrix.md', render: accessMatrixPage },
  { file: 'api/src/http/openapi/shapes.json', render: () => shapesText(root, shapeNames()) },
]

function configuration(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  return [
    '# Configuration',
    '',
    'Every variable is optional. This page is written by `npm run docs` from `api/src/config.ts`, the only place that reads the environment.',
    '',
    '| variable | default | what it is for |',
    '|---|---|---|',
    ...variables.map(({ name, default: value, why }) => `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${cell(why)} |`),
    '',
  ].join('\n')
}

const isCheck = process.argv.includes('--check')
for (const { file, render } of pages) {
  const path = join(root, file)
  const current = existsSync(path) ? readFileSync(path, 'utf8') : null
  const wanted = render()
  if (current === wanted) continue
  if (isCheck) {
    process.stdout.write(`${file} is out of date: run npm run docs\n`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, wanted)
    process.stdout.write(`${file} written\n`)
  }
}
