/** Routes of people at an insurance centre: coverage, enrolment, benefit check, filings. */
import type { Coverage, CoverageEligibilityRequest, Parameters, Task } from '@medplum/fhirtypes'
import { Hono } from 'hono'
import { checkCoverage, findCoverages } from '../insurer/eligibility.ts'
import { endEnrolment, enrolPerson, retirePerson } from '../insurer/enrol-person.ts'
import { fileTask, findFilings, withdrawFiling } from '../insurer/filings.ts'
import { searchset } from '../insurer/find-claims.ts'
import type { AppEnv } from './auth.ts'
import { readText } from './body.ts'
import { assertScope, bodyBytesMax, type CentreRoutes, identifierOf, parameterOf, readResource, reply, selfOf } from './insurer-request.ts'

export function peopleRoutes({ db, centre, base }: CentreRoutes): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/Coverage', async (c) => {
      assertScope(c, 'Coverage', 's')
      return reply(c, searchset(base, selfOf(c), await findCoverages(db, centre, identifierOf(c.req.queries(), ['identifier']))))
    })
    // A resident ID number never stands in an address, which logs keep: only in the body of a search.
    .post('/Coverage/_search', async (c) => {
      assertScope(c, 'Coverage', 's')
      const form = new URLSearchParams(await readText(c, bodyBytesMax))
      const query = Object.fromEntries([...form.keys()].map((name) => [name, form.getAll(name)]))
      return reply(c, searchset(base, '/Coverage', await findCoverages(db, centre, identifierOf(query, ['identifier', 'beneficiary:identifier']))))
    })
    .post('/Coverage', async (c) => {
      assertScope(c, 'Coverage', 'c')
      return reply(c, await enrolPerson(db, c.get('ctx'), centre, await readResource<Coverage>(c, 'Coverage')))
    })
    .post('/Coverage/:id/$end', async (c) => {
      assertScope(c, 'Coverage', 'u')
      const parameters = await readResource<Parameters>(c, 'Parameters')
      const because = parameterOf(parameters, 'because')?.valueCode
      return reply(c, await endEnrolment(db, centre, c.req.param('id'), {
        day: parameterOf(parameters, 'end')?.valueDate ?? '', because: because === 'interrupted' || because === 'transferred' ? because : 'ended',
      }))
    })
    .post('/Coverage/:id/$retire', async (c) => {
      assertScope(c, 'Coverage', 'u')
      const parameters = await readResource<Parameters>(c, 'Parameters')
      return reply(c, await retirePerson(db, centre, c.req.param('id'), parameterOf(parameters, 'approved')?.valueDate ?? ''))
    })
    .post('/CoverageEligibilityRequest/$submit', async (c) => {
      assertScope(c, 'Coverage', 'r')
      return reply(c, await checkCoverage(db, c.get('ctx'), centre, await readResource<CoverageEligibilityRequest>(c, 'CoverageEligibilityRequest')))
    })
    .post('/Task', async (c) => {
      assertScope(c, 'Task', 'c')
      return reply(c, await fileTask(db, c.get('ctx'), centre, await readResource<Task>(c, 'Task')))
    })
    .get('/Task', async (c) => {
      assertScope(c, 'Task', 's')
      return reply(c, searchset(base, selfOf(c), await findFilings(db, centre.region, identifierOf(c.req.queries(), ['patient:identifier']))))
    })
    .post('/Task/:id/$withdraw', async (c) => {
      assertScope(c, 'Task', 'u')
      return reply(c, await withdrawFiling(db, c.get('ctx'), c.req.param('id'), centre.region))
    })
}
