/**
 * Step-up: for what must not be done from a desk left open, the person proves themselves again by the second factor, in this
 * session, minutes ago. Used by break-glass, reversal, and changes of the account itself. Source: RFC 9470, health-record § 8.
 */
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'

/** @param minutes how long ago at most. @throws OutcomeError `step-up-required` (403), which the portal answers with a dialog. */
export function assertStepUp({ principal, now }: Pick<Ctx, 'principal' | 'now'>, minutes: number): void {
  const provedAt = principal.authLevel === 'second-factor' && principal.authAt !== null ? Date.parse(principal.authAt) : Number.NEGATIVE_INFINITY
  // An app never inherits the proof: the person gave it to the portal.
  if (principal.kind !== 'person' || principal.scopes.length > 0 || now.getTime() - provedAt > minutes * 60_000) {
    throw fail('step-up-required', { zh: '请先用验证器再次确认是您本人。', en: 'Confirm with your authenticator that it is you.' })
  }
}
