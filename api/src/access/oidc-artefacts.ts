/**
 * Where the OpenID provider keeps its codes, tokens, grants and interactions. The key is the SHA-256 of the secret and the
 * payload is without it: a copy of the table opens nothing. A one-time thing is consumed by a guarded update, so that of two
 * requests with the same code or refresh token one wins and the other revokes the whole family.
 */
import { type Kysely, sql } from 'kysely'
import { sha256Hex } from '../crypto.ts'
import type { Tables } from '../storage/tables.ts'

export type ArtefactPayload = Record<string, unknown>

/** Thrown when a one-time artefact is used a second time; its family has been revoked. */
export class ArtefactReplayed extends Error {}

/** The adapter that oidc-provider asks for; one object a model. @param revokeGrant ends the session of a grant that is gone. */
export function artefacts(db: Kysely<Tables>, model: string, revokeGrant: (grantId: string) => Promise<void>) {
  const table = db.$pickTables<'oidc_artefact'>()
  const stored = (row: { payload: unknown; consumed_at: string | null } | undefined, id: string | null): ArtefactPayload | undefined => {
    if (!row) return undefined
    const payload = row.payload as ArtefactPayload
    return {
      ...payload, ...(id === null ? {} : { jti: id }),
      ...(row.consumed_at === null ? {} : { consumed: Math.floor(Date.parse(row.consumed_at) / 1000) }),
    }
  }
  return {
    async upsert(id: string, payload: ArtefactPayload, seconds: number): Promise<void> {
      const { jti, ...rest } = payload
      const row = {
        model, id: sha256Hex(id), payload: model === 'Session' ? { ...rest, jti } : rest, consumed_at: null,
        grant_id: model === 'Grant' ? id : typeof payload.grantId === 'string' ? payload.grantId : null, uid: typeof payload.uid === 'string' ? payload.uid : null,
        // The provider lives by the machine's clock, like the cookies it sets.
        expires_at: sql<string>`clock_timestamp() + make_interval(secs => ${seconds})`,
      }
      const done = await table.insertInto('oidc_artefact').values(row)
        .onConflict((conflict) => (model === 'ReplayDetection' ? conflict.doNothing() : conflict.columns(['model', 'id']).doUpdateSet({ payload: row.payload, expires_at: row.expires_at })))
        .executeTakeFirst()
      if (model === 'ReplayDetection' && done.numInsertedOrUpdatedRows === 0n) throw new ArtefactReplayed('This assertion has been used before.')
    },
    async find(id: string): Promise<ArtefactPayload | undefined> {
      return stored(await live().where('id', '=', sha256Hex(id)).executeTakeFirst(), id)
    },
    async findByUid(uid: string): Promise<ArtefactPayload | undefined> {
      return stored(await live().where('uid', '=', uid).executeTakeFirst(), null)
    },
    async findByUserCode(): Promise<undefined> {
      return undefined
    },
    async consume(id: string): Promise<void> {
      const key = sha256Hex(id)
      const done = await table.updateTable('oidc_artefact').set({ consumed_at: sql<string>`clock_timestamp()` })
        .where('model', '=', model).where('id', '=', key).where('consumed_at', 'is', null).returning('grant_id').executeTakeFirst()
      if (done) return
      const lost = await table.selectFrom('oidc_artefact').select('grant_id').where('model', '=', model).where('id', '=', key).executeTakeFirst()
      if (lost?.grant_id) {
        await revoke(lost.grant_id)
        await revokeGrant(lost.grant_id)
      }
      throw new ArtefactReplayed(`${model} used twice.`)
    },
    async destroy(id: string): Promise<void> {
      await table.deleteFrom('oidc_artefact').where('model', '=', model).where('id', '=', sha256Hex(id)).execute()
      if (model === 'Grant') await revokeGrant(id)
    },
    async revokeByGrantId(grantId: string): Promise<void> {
      await revoke(grantId)
    },
  }

  function live() {
    return table.selectFrom('oidc_artefact').select(['payload', 'consumed_at']).where('model', '=', model).where('expires_at', '>', sql<string>`clock_timestamp()`)
  }
  async function revoke(grantId: string): Promise<void> {
    await table.deleteFrom('oidc_artefact').where('grant_id', '=', grantId).execute()
  }
}
