/**
 * `Observation/$lastn`: the newest observations of each code of one patient. It is a search by date, newest first, of which each code's
 * first `max` are kept; every parameter of the search may narrow it. Source: FHIR R4 § observation-operation-lastn.html.
 */
import type { Bundle, Observation } from '@medplum/fhirtypes'
import { assertMayAsk } from '../access/may-ask.ts'
import { fail } from '../fhir/outcome.ts'
import { resourceOf } from './content.ts'
import { parameterInvalid, parametersOf } from './operation-parameters.ts'
import { search } from './search/search.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'

export const lastObservationsOperation: Operation = {
  name: '$lastn', level: 'type', types: ['Observation'], methods: ['GET', 'POST'], affectsState: false, definition: 'http://hl7.org/fhir/OperationDefinition/Observation-lastn',
  summary: 'The newest observations of each code of a patient: patient or subject, max, and parameters of the search.', run: lastObservations,
}

const maxMost = 100

async function lastObservations(call: OperationCall): Promise<OperationResult> {
  const { db, ctx, store, base } = call
  assertMayAsk(ctx, 'Observation', 's')
  const names = [...store.model.searchParameters('Observation').keys()]
  const given = parametersOf(call, ['max', ...names, ...[...call.query.keys()].filter((name) => names.includes(name.split(/[:.]/)[0] ?? name))])
  if (!given.get('patient') && !given.get('subject') && !given.get('subject:Patient')) {
    throw fail('parameter-invalid', { zh: '请指定患者（patient 或 subject）。', en: 'Name the patient (patient or subject).' }, 'patient')
  }
  const most = mostOf(given.get('max'))
  let query: URLSearchParams | null = new URLSearchParams([...given].filter(([name]) => name !== 'max'))
  query.set('_sort', '-date')
  query.set('_count', '1000')
  const groups = new Map<string, Observation[]>()
  const patients = new Set<string>()
  while (query !== null) {
    const page: Awaited<ReturnType<typeof search>> = await search(db, ctx, store, 'Observation', query, { base })
    for (const stored of page.matches) {
      const observation = resourceOf<Observation>(stored)
      const group = groupOf(groups, codeOf(observation))
      if (group.length >= most) continue
      group.push(observation)
      if (stored.pid !== null) patients.add(stored.pid)
    }
    query = page.next
  }
  const found = [...groups.values()].flat()
  const bundle: Bundle = {
    resourceType: 'Bundle', id: ctx.newId(null), meta: { lastUpdated: ctx.now.toISOString() }, type: 'searchset', total: found.length,
    link: [{ relation: 'self', url: `${base}/Observation/$lastn?${given}` }],
    ...(found.length > 0 ? { entry: found.map((resource) => ({ fullUrl: `${base}/Observation/${resource.id}`, resource, search: { mode: 'match' as const } })) } : {}),
  }
  return { resource: bundle, patients: [...patients] }
}

function mostOf(value: string | null): number {
  if (value === null) return 1
  if (!/^\d{1,4}$/.test(value) || Number(value) === 0 || Number(value) > maxMost) throw parameterInvalid('max')
  return Number(value)
}

function groupOf(groups: Map<string, Observation[]>, code: string): Observation[] {
  const group = groups.get(code) ?? []
  groups.set(code, group)
  return group
}

/** What makes two observations the same: their first coding, or their text where none is coded. */
function codeOf({ code }: Observation): string {
  const coding = code?.coding?.find((each) => each.code !== undefined)
  return coding ? `${coding.system ?? ''}|${coding.code}` : `text ${code?.text ?? ''}`
}
