/** The logger of a process: one JSON line an event on standard output. Callers log ids, codes and durations, never content of a record. */
import { type Logger, pino } from 'pino'

export type { Logger }

export function makeLogger(name: string, level: string): Logger {
  return pino({ name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime })
}
