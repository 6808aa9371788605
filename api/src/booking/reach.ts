/** Where each channel reaches a patient: the app when they or somebody who acts for them has an account, a text or a call when a phone number is known. */
import type { Patient } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { shardOf } from '../fhir/id.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Trx } from '../storage/pool.ts'
import type { Channels } from '../notices/channels.ts'
import { contactPreference } from '../notices/contact-preference.ts'
import type { ChannelName, ContactPreference } from '../notices/shapes.ts'

export interface Reach {
  language: ContactPreference['language']
  /** The person's channels that can reach them, in their order. */
  channels: ChannelName[]
  addresses: Partial<Record<ChannelName, string>>
}

export async function reachOf(trx: Trx, ctx: Ctx, { pid, patient }: { pid: string; patient: string }, channels: Channels): Promise<Reach> {
  const preference = await contactPreference(trx, pid)
  const phone = (await loadResource<Patient>(trx, 'Patient', patient))?.telecom?.find((each) => each.system === 'phone' && each.value)?.value
  const account = await trx.selectFrom('account_role').select('account_id').where('patient', '=', patient).where('role', '=', 'citizen').executeTakeFirst()
  const reader = account ?? await trx.selectFrom('proxy_grant').select('pid').where('pid', '=', pid).where('shard', '=', shardOf(pid)).where('from_at', '<=', ctx.now.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', ctx.now.toISOString())])).limit(1).executeTakeFirst()
  const addresses = { ...(reader ? { app: patient } : {}), ...(phone ? { sms: phone, phone } : {}) }
  return { language: preference.language, channels: preference.channels.filter((each) => channels[each] && addresses[each]), addresses }
}
