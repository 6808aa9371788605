/** The way from one insurance centre to another: claims through the gateway the platform uses too, the rest as plain calls. */
import type { CoverageEligibilityResponse, PaymentReconciliation, Resource, Task } from '@medplum/fhirtypes'
import { systemCaller, type SystemOptions } from './access/system-call.ts'
import type { PeerCentre } from './insurer/peer.ts'
import { httpGateway } from './settlement/gateway.ts'

export function peerCentre(options: SystemOptions): PeerCentre {
  const { submit, ask, reverse } = httpGateway(options)
  const call = systemCaller(options)
  async function post<T extends Resource>(path: string, body: Resource, type: T['resourceType']): Promise<T> {
    const { status, json } = await call('POST', `/fhir/${path}`, body)
    if (status !== 200 || (json as Resource | null)?.resourceType !== type) throw new Error(`${path} answered ${status}`)
    return json as T
  }
  return {
    submit, ask, reverse,
    checkCoverage: (request) => post<CoverageEligibilityResponse>('CoverageEligibilityRequest/$submit', request, 'CoverageEligibilityResponse'),
    file: (task) => post<Task>('Task', task, 'Task'),
    confirmMonth: (parameters) => post<PaymentReconciliation>('PaymentReconciliation/$confirm', parameters, 'PaymentReconciliation'),
  }
}
