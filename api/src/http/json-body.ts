/** A JSON body of an /api endpoint, checked by a schema. What fails is said by field; the values sent are never echoed. */
import type { Context } from 'hono'
import type { z } from 'zod'
import { parseJson } from '../fhir/json.ts'
import { fail, issue, OutcomeError } from '../fhir/outcome.ts'
import { readBytes } from './body.ts'

/** Bodies of /api are small: none of them carries a record. */
const bytesMax = 64 * 1024

/** @throws OutcomeError `media-type-unsupported`, `body-too-large`, `json-broken` or `parameter-invalid`. */
export async function readJson<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/(\w+\+)?json\b/i.test(c.req.header('Content-Type') ?? '')) {
    throw fail('media-type-unsupported', { zh: '请以 application/json 提交。', en: 'Send the body as application/json.' })
  }
  const parsed = schema.safeParse(parseJson(new TextDecoder().decode(await readBytes(c, bytesMax))))
  if (parsed.success) return parsed.data
  throw new OutcomeError(parsed.error.issues.slice(0, 20).map((each) => {
    const path = each.path.join('.')
    return issue('parameter-invalid', { zh: `字段“${path}”不正确。`, en: `Field "${path}" is not valid.` }, path)
  }))
}
