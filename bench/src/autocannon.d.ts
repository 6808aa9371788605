/** What the benchmarks use of autocannon, which brings no types. */
declare module 'autocannon' {
  export interface Request {
    method?: string
    path?: string
    body?: string
    headers?: Record<string, string>
    setupRequest?: (request: Request, context: object) => Request
    onResponse?: (status: number, body: string, context: object, headers: Record<string, string> | undefined) => void
  }
  interface Options {
    /** So many requests in place of `duration`. */
    amount?: number
    url: string
    connections: number
    /** Seconds. */
    duration?: number
    /** Seconds until a request counts as timed out. */
    timeout?: number
    headers?: Record<string, string>
    requests: Request[]
    /** The same load before, which is not counted. Seconds. */
    warmup?: { connections: number; duration: number }
  }
  interface Result {
    /** Seconds. */
    duration: number
    errors: number
    timeouts: number
    non2xx: number
    '2xx': number
    /** Milliseconds. */
    latency: { p50: number; p99: number; max: number }
    warmup?: Result
  }
  export default function autocannon(options: Options): Promise<Result>
}
