/** docs/access-matrix.md, printed from the tables of matrix.ts: a table a caller, a row a kind of entries, a column a situation. */
import { callerNames, changeable, kindNames, kindsIn, matrixCallers, type MatrixCaller, otherKinds, type OtherKind, readable, readsOutside, recordKinds, type RecordKind, type Situation, situations, situationsOf, writesOutside } from './matrix.ts'

export function accessMatrixPage(): string {
  return [
    '# Who sees what · 谁能看什么', '',
    'Written by `npm run docs` from `api/src/access/matrix.ts`. `api/test/access/matrix.test.ts` asks the decision, and its SQL twin, for every cell and',
    'every FHIR type, and `api/test/access/matrix-http.test.ts` asks a running platform for one type of each kind, by every interaction.', '',
    '本页由程序生成。测试对每一格、每一种资源类型核对规则及其 SQL 形式，并对每类各取一种，用每一种接口向运行中的平台核对。', '',
    '● reads 可读 · ✎ also changes 也可增改删 · empty: not there for the caller 空白：对其不存在', '',
    '## Situations · 情形', '',
    ...Object.entries(situations).map(([name, words]) => `- **${name}**: ${words.zh} · ${words.en}`), '',
    '## Kinds of entries · 记录类别', '', '| kind | FHIR types |', '|---|---|',
    ...kindNames.map((kind) => kindLine(recordKinds[kind])), ...(Object.keys(otherKinds) as OtherKind[]).map((kind) => kindLine(otherKinds[kind])),
    ...sameTables().flatMap((callers) => tableOf(callers)), '',
    '## Outside records · 档案之外', '',
    'Everyone reads the public directory, also without a token. What people do here they do through the desks of the portal; by plain FHIR only systems write:',
    'own 本机构 is what the hospitals of the caller keep, and never what holds for the whole city (organizations, terms, profiles, search parameters).', '',
    `| | ${(Object.keys(otherKinds) as OtherKind[]).map((kind) => `${otherKinds[kind].zh}<br>${otherKinds[kind].en}`).join(' | ')} |`, '|---|---|---|---|',
    ...callerNames.map((caller) => `| ${wordsOf(caller)} | ${(Object.keys(otherKinds) as OtherKind[]).map((kind) => `${sign(readsOutside[caller].includes(kind), writesOutside[caller] !== undefined)}${writesOutside[caller] === 'own' ? ' (own 本机构)' : ''}`).join(' | ')} |`),
    '',
  ].join('\n')
}

const wordsOf = (caller: MatrixCaller) => `${matrixCallers[caller].zh} ${matrixCallers[caller].en}`
const sign = (reads: boolean, changes: boolean) => (reads ? (changes ? '● ✎' : '●') : '')

function kindLine(kind: { zh: string; en: string; types: readonly string[] }): string {
  return `| ${kind.zh} ${kind.en} | ${kind.types.join(', ')} |`
}

/** Callers with the same rights share a table. */
function sameTables(): MatrixCaller[][] {
  const tables = new Map<string, MatrixCaller[]>()
  for (const caller of callerNames) {
    const key = JSON.stringify([situationsOf(caller), kindNames.map((kind) => situationsOf(caller).map((situation) => cell(caller, kind, situation)))])
    tables.set(key, [...tables.get(key) ?? [], caller])
  }
  return [...tables.values()]
}

const cell = (caller: MatrixCaller, kind: RecordKind, situation: Situation) => sign(kindsIn(readable[caller], situation).has(kind), kindsIn(changeable[caller], situation).has(kind))

function tableOf(callers: readonly MatrixCaller[]): string[] {
  const [caller] = callers as [MatrixCaller]
  const columns = situationsOf(caller)
  const rows = kindNames.filter((kind) => columns.some((situation) => cell(caller, kind, situation) !== ''))
  const head = ['', `## ${callers.map((each) => matrixCallers[each].zh).join('、')} · ${callers.map((each) => matrixCallers[each].en).join(', ')}`, '']
  if (rows.length === 0) return [...head, 'Nothing of any record, in any situation. 任何情形下都看不到任何档案。']
  return [
    ...head, `| | ${columns.join(' | ')} |`, `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map((kind) => `| ${recordKinds[kind].zh} ${recordKinds[kind].en} | ${columns.map((situation) => cell(caller, kind, situation)).join(' | ')} |`),
  ]
}
