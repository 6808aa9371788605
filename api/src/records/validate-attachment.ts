/**
 * An Attachment that holds its data says the truth about their `size`, in bytes. Data that lie elsewhere are not fetched. Source: FHIR R4 § datatypes.html#Attachment.
 */
import { report, type Run } from './validate.ts'
import * as say from './validation-sentences.ts'

/** The run's path stands at the Attachment. */
export function checkAttachment(run: Run, { data, size }: Record<string, unknown>): void {
  if (typeof data !== 'string' || typeof size !== 'number') return
  const bytes = Buffer.from(data, 'base64').length
  if (size !== bytes) report(run, 'value-invalid', say.otherSize(size, bytes), '.size')
}
