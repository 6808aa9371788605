/**
 * Whole seconds left until an instant of the server, once a second; 0 when it has passed, null without an instant. We know the server's clock
 * late, by the time its answer took: rounded down, a hold of five minutes does not begin with 5:01.
 */
import { onScopeDispose, ref, watchEffect } from 'vue'
import { serverNow } from '../session.ts'

export function useCountdown(until: () => string | null) {
  const left = ref<number | null>(null)
  const update = () => {
    const instant = until()
    left.value = instant ? Math.max(0, Math.floor((Date.parse(instant) - serverNow().getTime()) / 1000)) : null
  }
  watchEffect(update)
  const timer = setInterval(update, 1000)
  onScopeDispose(() => clearInterval(timer))
  return left
}
