/**
 * Hono's TrieRouter with a memory. FHIR's paths (`/:type/:id` beside `/:type/_history`) are too ambiguous for Hono's faster router, and walking
 * the tree takes a twentieth of the CPU time of a create. What a path leads to depends on the method and the path alone, and no route tells one
 * id of ours from another: paths that differ only in that id share one entry. The memory is bounded; what does not fit is walked as before.
 */
import type { Result, Router } from 'hono/router'
import { TrieRouter } from 'hono/router/trie-router'

const entriesMax = 2_000
const lengthMax = 120
const idForm = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?=\/|$)/
/** Stands for any id of that form. */
const anyId = '00000000-0000-7000-8000-000000000000'

type Matched<T> = [[T, Record<string, string>][]]

export class RememberingRouter<T> implements Router<T> {
  name = 'RememberingRouter'
  readonly #router = new TrieRouter<T>()
  readonly #kept = new Map<string, Matched<T>>()

  add(method: string, path: string, handler: T): void {
    this.#kept.clear()
    this.#router.add(method, path, handler)
  }

  match(method: string, path: string): Result<T> {
    if (path.length > lengthMax || path.includes(anyId)) return this.#router.match(method, path)
    const id = idForm.exec(path)?.[0]
    const key = `${method} ${id === undefined ? path : path.replace(id, anyId)}`
    let found = this.#kept.get(key)
    if (found === undefined) {
      found = this.#router.match(method, id === undefined ? path : path.replace(id, anyId)) as Matched<T>
      if (this.#kept.size < entriesMax) this.#kept.set(key, found)
    }
    return id === undefined ? found : [found[0].map(([handler, params]) => [handler, withId(params, id)])]
  }
}

function withId(params: Record<string, string>, id: string): Record<string, string> {
  const given: Record<string, string> = {}
  for (const name in params) given[name] = params[name]?.replace(anyId, id) ?? ''
  return given
}
