/** The address by which a definition is known is absolute: a relative one means another thing wherever it is read. Source: FHIR R4 2.2.2 (canonical URLs). */
import { hasScheme } from '../fhir/references.ts'
import { report, type Run } from './validate.ts'
import * as say from './validation-sentences.ts'

/** Their `url` is where they are reached in a network. */
const devices: readonly unknown[] = ['Device', 'DeviceDefinition']

/** The run's path stands at a resource that may have a `url` of its own. */
export function checkCanonical(run: Run, { resourceType, url }: Record<string, unknown>): void {
  if (typeof url === 'string' && url !== '' && !devices.includes(resourceType) && !hasScheme(url)) report(run, 'value-invalid', say.notAbsolute(url), '.url')
}
