/** Seconds left until an instant of the server, once a second; 0 when it has passed, null without an instant. */
import { onScopeDispose, ref, watchEffect } from 'vue'
import { serverNow } from '../session.ts'

export function useCountdown(until: () => string | null) {
  const left = ref<number | null>(null)
  const update = () => {
    const instant = until()
    left.value = instant ? Math.max(0, Math.ceil((Date.parse(instant) - serverNow().getTime()) / 1000)) : null
  }
  watchEffect(update)
  const timer = setInterval(update, 1000)
  onScopeDispose(() => clearInterval(timer))
  return left
}
