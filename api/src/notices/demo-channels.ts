/**
 * The channels of the demonstration: no carrier, but a table that stands for the person's telephone and app (demo_message), read on the
 * page of messages. Each message is committed by itself, as with a carrier: the caller's transaction may fail afterwards.
 */
import { shardOf } from '../fhir/id.ts'
import type { Db } from '../storage/pool.ts'
import type { Channel, Channels } from './channels.ts'
import type { ChannelName } from './shapes.ts'

export function demoChannels(db: Db): Channels {
  return { app: demoChannel(db, 'app', true), sms: demoChannel(db, 'sms', false), phone: demoChannel(db, 'phone', false) }
}

function demoChannel(db: Db, channel: ChannelName, recalls: boolean): Channel {
  return {
    async send({ id, pid, address, language, body, appointment, at }) {
      await db.insertInto('demo_message').values({ shard: shardOf(pid), id, pid, channel, address: masked(channel, address), language, body, appointment, received_at: at })
        .onConflict((conflict) => conflict.columns(['id', 'shard']).doNothing()).execute()
    },
    async recall({ id, pid, at }) {
      if (!recalls) return false
      await db.updateTable('demo_message').set({ recalled_at: at }).where('id', '=', id).where('shard', '=', shardOf(pid)).where('recalled_at', 'is', null).execute()
      return true
    },
  }
}

/** 139****0001. */
function masked(channel: ChannelName, address: string): string {
  return channel === 'app' ? '' : address.replace(/^(.{3}).*(.{4})$/, '$1****$2')
}
