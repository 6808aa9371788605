/**
 * `metadata?mode=terminology`: the code systems that are built in, and what `$expand`, `$validate-code` and `$translate` take. Stored code systems
 * come beside them and are not listed. Source: FHIR R4 TerminologyCapabilities, § http.html#capabilities.
 */
import { builtInUrls } from '../terminology/built-in.ts'

const expansionParameters = ['filter', 'offset', 'count', 'includeDesignations', 'designation', 'includeDefinition', 'activeOnly', 'excludeNested', 'excludeNotForUI', 'displayLanguage']

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
    codeSystem: builtInUrls('CodeSystem').map((uri) => ({ uri })),
    expansion: { hierarchical: true, paging: true, incomplete: false, parameter: expansionParameters.map((name) => ({ name })) },
    codeSearch: 'all',
    validateCode: { translations: true },
    translation: { needsMap: false },
    closure: { translation: false },
  }
}
