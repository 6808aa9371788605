/**
 * What the CapabilityStatement names of ours, as resources that a client can read and search by `url`: profiles, extensions, code systems and maps of
 * fhir-profiles/pujiang, and an OperationDefinition of each operation that nobody else has defined. They are stored when the platform starts; one that is
 * stored already as it stands makes no version. Validation and terminology go on using the files: a stored definition never replaces a built-in one.
 */
import type { OperationDefinition, Resource } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import type { FhirModel } from '../fhir/model.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Operation, Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'

/** Canonical of an operation of ours is this and its name without the dollar sign. */
export const operationBase = 'https://pujiang.health/fhir/OperationDefinition/'

export function ownDefinitions(model: FhirModel, operations: readonly Operation[]): Resource[] {
  const own = Map.groupBy(operations.filter((each) => each.definition === undefined), (each) => each.name.slice(1))
  return [...[...model.definitions.values()] as unknown as Resource[], ...[...own].map(([code, levels]) => operationDefinition(code, levels))]
}

function operationDefinition(code: string, levels: readonly Operation[]): OperationDefinition {
  const at = (level: Operation['level']) => levels.some((each) => each.level === level)
  const types = [...new Set(levels.flatMap((each) => each.types))]
  return {
    resourceType: 'OperationDefinition', id: code, url: `${operationBase}${code}`, name: code.split('-').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join(''),
    status: 'active', kind: 'operation', publisher: '浦江健康 Pujiang Health', affectsState: levels.some((each) => each.affectsState), description: levels[0]?.summary ?? '',
    code, ...(types.length > 0 ? { resource: types } : {}), system: at('system'), type: at('type'), instance: at('instance'),
  }
}

/** @returns how many were new or had changed. */
export function storeDefinitions(db: Db, ctx: Ctx, store: Store, operations: readonly Operation[]): Promise<number> {
  return inTransaction(db, async (trx) => {
    const written = await writeResources(trx, ctx, store, ownDefinitions(store.model, operations).map((resource) => ({
      method: 'update', type: resource.resourceType as ResourceType, id: resource.id as string, resource, ifMatch: null,
    })), 'platform')
    return written.filter(({ change }) => change !== 'unchanged').length
  })
}
