/** Mounts the portal once it knows the reader's language and whether somebody is signed in. */
import { QueryCache, QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp, watch } from 'vue'
import App from './App.vue'
import { OutcomeError } from './api/http.ts'
import { i18n, useLanguage } from './i18n/i18n.ts'
import { makeRouter } from './router.ts'
import { adopt, language, loadSession, session } from './session.ts'
import './styles/tokens.css'
import './styles/base.css'

/** Nothing is shown before the server has said it; only a busy server or a dead line is asked again. */
const queries = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      if (error instanceof OutcomeError && error.status === 401 && session.me) adopt(null)
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => error instanceof OutcomeError && (error.status === 0 || error.status === 503) && count < 2,
    },
    mutations: { retry: false },
  },
})

async function start(): Promise<void> {
  const [, known] = await Promise.allSettled([useLanguage(language.value), loadSession()])
  if (known.status === 'rejected') session.known = true
  watch(language, (wanted) => void useLanguage(wanted))
  const router = makeRouter()
  // A session that ended elsewhere empties the caches and leads to the door, with the way back kept.
  watch(() => session.me, (me) => {
    queries.clear()
    const here = router.currentRoute.value
    if (!me && !here.meta.open) void router.replace({ name: 'sign-in', query: { next: here.fullPath } })
  })
  createApp(App).use(i18n).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
}

void start()
