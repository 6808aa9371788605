/**
 * Pages of what a domain makes of its own tables (Slot, Schedule, AuditEvent): in the order of an instant, then a key, then a place, from either
 * end. A page begins where another one ended or before it began, so pages stay right while others write. Source: FHIR R4 3.1.1.5.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Resource } from '@medplum/fhirtypes'
import { fail } from '../../fhir/outcome.ts'

/** A row that a page begins or ends with: instant, key, place (0 where rows have none). */
export interface RowKey { at: string; id: string; place: number }

/** What the opaque `_page` says: from which row on, and towards the beginning of the list. */
export interface PageKey extends RowKey { backwards: boolean }

export interface ProjectedPage { resources: Resource[]; next: URLSearchParams | null; previous: URLSearchParams | null }

/** @throws OutcomeError `parameter-invalid` for a token that we did not make. */
export function pageKey(query: URLSearchParams): PageKey | null {
  const token = query.get('_page')
  if (token === null) return null
  const match = /^(-?)((?!0000)\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (\d{1,3})$/.exec(Buffer.from(token, 'base64url').toString())
  if (!match || Number.isNaN(Date.parse(match[2] as string))) {
    throw fail('parameter-invalid', { zh: '参数 _page 的值不正确：请使用上一页给出的值。', en: 'The value of _page is not valid: use the value that the page before gave.' }, 'http._page')
  }
  return { backwards: match[1] === '-', at: new Date(match[2] as string).toISOString(), id: match[3] as string, place: Number(match[4]) }
}

/** The query of the page behind a row, or before it. */
export function pageQuery(query: URLSearchParams, { at, id, place, backwards }: PageKey): URLSearchParams {
  const other = new URLSearchParams(query)
  other.set('_page', Buffer.from(`${backwards ? '-' : ''}${at} ${id} ${place}`).toString('base64url'))
  return other
}

/** How a page is read: downwards in time or upwards, and how a row behind the page's key compares with it. */
export interface Reading { after: PageKey | null; direction: RawBuilder<unknown>; behind: RawBuilder<unknown> }

/** `order` is the projection's own; `_sort` may turn it round. */
export function readingOf(query: URLSearchParams, order: string): Reading {
  const after = pageKey(query)
  const falls = (query.get('_sort') ?? order).startsWith('-') !== (after?.backwards ?? false)
  return { after, direction: falls ? sql`desc` : sql`asc`, behind: falls ? sql`<` : sql`>` }
}

/** @param rows one more than the page has room for, in the direction they were read. */
export function projectedPage<Row>(
  query: URLSearchParams, rows: readonly Row[], count: number, { after }: Pick<Reading, 'after'>, keyOf: (row: Row) => RowKey, resourceOf: (row: Row) => Resource,
): ProjectedPage {
  const backwards = after?.backwards === true
  const more = rows.length > count
  const page = backwards ? rows.slice(0, count).reverse() : rows.slice(0, count)
  const [first, last] = [page[0], page.at(-1)]
  return {
    resources: page.map(resourceOf),
    next: last && (backwards || more) ? pageQuery(query, { ...keyOf(last), backwards: false }) : null,
    previous: first && after !== null && (!backwards || more) ? pageQuery(query, { ...keyOf(first), backwards: true }) : null,
  }
}
