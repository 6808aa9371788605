/** Routes of the steps before a settlement at an insurance centre: registering a visit, uploading its details, taking both back. */
import type { Bundle, ChargeItem, Encounter, Parameters } from '@medplum/fhirtypes'
import { Hono } from 'hono'
import { cancelUpload, uploadDetails } from '../insurer/visit-details.ts'
import { cancelVisit, readVisit, registerVisit } from '../insurer/visits.ts'
import type { AppEnv } from './auth.ts'
import { assertScope, type CentreRoutes, parameterOf, readResource, reply } from './insurer-request.ts'

export function visitRoutes({ db, centre }: CentreRoutes): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post('/Encounter', async (c) => {
      assertScope(c, 'Encounter', 'c')
      return reply(c, await registerVisit(db, c.get('ctx'), centre, await readResource<Encounter>(c, 'Encounter')))
    })
    .get('/Encounter/:number', async (c) => {
      assertScope(c, 'Encounter', 'r')
      return reply(c, await readVisit(db, c.get('ctx'), c.req.param('number')))
    })
    .post('/Encounter/:number/$cancel', async (c) => {
      assertScope(c, 'Encounter', 'u')
      return reply(c, await cancelVisit(db, c.get('ctx'), c.req.param('number')))
    })
    .post('/Encounter/:number/$upload', async (c) => {
      assertScope(c, 'ChargeItem', 'c')
      return reply(c, await uploadDetails(db, c.get('ctx'), centre, c.req.param('number'), await readResource<Bundle<ChargeItem>>(c, 'Bundle')))
    })
    .post('/Encounter/:number/$cancel-upload', async (c) => {
      assertScope(c, 'ChargeItem', 'u')
      const parameters = await readResource<Parameters>(c, 'Parameters')
      return reply(c, await cancelUpload(db, c.get('ctx'), c.req.param('number'), parameterOf(parameters, 'batch')?.valueString ?? ''))
    })
}
