/**
 * `metadata?mode=terminology`: the code systems that are built in, and what `$expand`, `$validate-code` and `$translate` take. Stored code systems
 * come beside them and are not listed. Source: FHIR R4 TerminologyCapabilities, § http.html#capabilities.
 */
import { builtInUrls } from '../terminology/built-in.ts'
import { expandParameters } from '../terminology/expand.ts'
import { builtInSystem } from '../terminology/library.ts'
import { ruleUrls } from '../terminology/rule-systems.ts'

export function terminologyCapabilities(base: string, now: Date): Record<string, unknown> {
  return {
    resourceType: 'TerminologyCapabilities',
    id: 'pujiang',
    url: `${base}/metadata?mode=terminology`,
    name: 'PujiangHealthTerminology',
    title: '浦江健康术语服务 · Pujiang Health terminology service',
    status: 'active',
    date: now.toISOString(),
    kind: 'instance',
    software: { name: 'Pujiang Health' },
    implementation: { description: '浦江健康术语服务。The terminology service of Pujiang Health.', url: base },
    codeSystem: carriedUrls().map((uri) => ({ uri })),
    expansion: { hierarchical: true, paging: true, incomplete: false, parameter: Object.keys(expandParameters).filter((name) => name !== 'url' && name !== 'valueSet').map((name) => ({ name })) },
    codeSearch: 'all',
    validateCode: { translations: true },
    translation: { needsMap: false },
    closure: { translation: false },
  }
}

/** Those whose codes are known here: of some R4 says only that they are there. */
function carriedUrls(): string[] {
  return [...new Set([...builtInUrls('CodeSystem').filter((url) => builtInSystem(url, null) !== null), ...ruleUrls])].sort()
}
