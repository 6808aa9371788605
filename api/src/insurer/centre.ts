/** Which centre this process is. */
import type { Ctx } from '../ctx.ts'
import type { Sentence } from '../fhir/outcome.ts'

export interface Centre {
  /** GB/T 2260, six digits. */
  region: string
  name: Sentence
}

const names: Record<string, Sentence> = {
  310000: { zh: '上海市', en: 'Shanghai' },
  320500: { zh: '苏州市', en: 'Suzhou' },
}

export function centreOf(region: string): Centre {
  return { region, name: names[region] ?? { zh: region, en: region } }
}

/** What every answer carries: a new id, the centre, the moment. */
export function frameOf(ctx: Ctx, centre: Centre) {
  return { id: ctx.newId(null), region: centre.region, regionName: centre.name, at: ctx.now }
}
