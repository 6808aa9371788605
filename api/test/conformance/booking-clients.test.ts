/** Clients that others wrote book at the desk with plain FHIR: a hold is an Appointment `pending` with a Slot, confirming and cancelling are updates. */
import type { Server } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { serve } from '@hono/node-server'
import { MedplumClient, OperationOutcomeError } from '@medplum/core'
import type { Appointment, Parameters } from '@medplum/fhirtypes'
import { Client } from 'fhir-kit-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clinicTemplate } from '../support/booking-data.ts'
import { brokenInvariants, openDesk } from '../support/booking-desk.ts'
import { testPlatform } from '../support/platform.ts'

const port = await new Promise<number>((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: found } = probe.address() as AddressInfo
    probe.close(() => done(found))
  })
})
const base = `http://127.0.0.1:${port}`
const platform = await testPlatform({ publicUrl: base })
const desk = openDesk(platform.db)
let server: Server
let sessions: string[] = []

beforeAll(async () => {
  sessions = await desk.sessions(...['03.04', '10', '07', '11'].map((department, index) => clinicTemplate({ department, weekday: index + 2, capacity: 8 })))
  server = await new Promise<Server>((done) => {
    const started = serve({ fetch: platform.app.fetch, port, hostname: '127.0.0.1' }, () => done(started as Server))
  })
})
afterAll(() => new Promise((done) => { server.close(done); server.closeAllConnections() }))

const wish = (slot: string, patient: string, status: 'pending' | 'booked'): Appointment => ({
  resourceType: 'Appointment', status, slot: [{ reference: `Slot/${slot}` }], participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
})
const moved = (slot: string): Parameters => ({ resourceType: 'Parameters', parameter: [{ name: 'slot', valueReference: { reference: `Slot/${slot}` } }] })
const slotOf = (appointment: Appointment) => appointment.slot?.[0]?.reference

test('MedplumClient holds, confirms, moves and cancels', async () => {
  const [citizen] = await desk.citizens(1)
  const patient = citizen?.patient as string
  const client = new MedplumClient({ baseUrl: `${base}/`, fhirUrlPath: 'fhir', accessToken: await platform.token(citizen as never), cacheTime: 0 })
  const held = await client.createResource(wish(`${sessions[0]}-3`, patient, 'pending'))
  expect([held.status, slotOf(held)]).toEqual(['pending', `Slot/${sessions[0]}-3`])
  expect((await client.readResource('Slot', `${sessions[0]}-3`)).status).toBe('busy-tentative')
  const booked = await client.updateResource<Appointment>({ ...held, status: 'booked' })
  expect(booked.status).toBe('booked')
  const next: Appointment = await client.post(client.fhirUrl('Appointment', booked.id as string, '$reschedule'), moved(`${sessions[1]}-1`))
  expect([next.status, slotOf(next)]).toEqual(['booked', `Slot/${sessions[1]}-1`])
  expect((await client.readResource('Appointment', booked.id as string)).status).toBe('cancelled')
  expect((await client.readResource('Slot', `${sessions[1]}-1`)).status).toBe('busy')
  const current = await client.readResource('Appointment', next.id as string)
  expect((await client.updateResource<Appointment>({ ...current, status: 'cancelled', cancelationReason: { text: '好了' } })).cancelationReason).toMatchObject({ text: '好了' })
  await expect(client.createResource(wish(`${sessions[0]}-99`, patient, 'booked'))).rejects.toThrow(OperationOutcomeError)
  const mine = await client.searchResources('Appointment', { patient: `Patient/${patient}`, status: 'booked' })
  expect(mine.length).toBe(0)
  expect(await brokenInvariants(platform.db)).toEqual([])
})

test('fhir-kit-client books, is told why not, moves and cancels', async () => {
  const [citizen] = await desk.citizens(1)
  const patient = citizen?.patient as string
  const client = new Client({ baseUrl: `${base}/fhir`, bearerToken: await platform.token(citizen as never) })
  const create = (appointment: Appointment) => client.create({ resourceType: 'Appointment', body: appointment as never }) as unknown as Promise<Appointment>
  const booked = await create(wish(`${sessions[2]}-1`, patient, 'booked'))
  expect([booked.status, slotOf(booked)]).toEqual(['booked', `Slot/${sessions[2]}-1`])
  const refused = await create(wish(`${sessions[2]}-5`, patient, 'booked')).catch((error: { response: { status: number; data: { issue: { details: { coding: { code: string }[] } }[] } } }) => error.response)
  expect(refused).toMatchObject({ status: 422, data: { issue: [{ details: { coding: [{ code: 'limit-department-day' }] } }] } })
  const next = await client.operation({ name: '$reschedule', resourceType: 'Appointment', id: booked.id as string, input: moved(`${sessions[3]}-8`) as never }) as unknown as Appointment
  expect([next.status, slotOf(next)]).toEqual(['booked', `Slot/${sessions[3]}-8`])
  const cancelled = await client.update({ resourceType: 'Appointment', id: next.id as string, body: { ...next, status: 'cancelled' } as never }) as unknown as Appointment
  expect(cancelled.status).toBe('cancelled')
  expect(await brokenInvariants(platform.db)).toEqual([])
})
