/**
 * Finds departments by name, everyday word or complaint, in both languages. Exact name first, then names that contain the
 * words, then keywords; departments with open places before those without. Pure.
 */
import type { DepartmentSummary } from '../api/booking.ts'

export function matchDepartments(all: readonly DepartmentSummary[], typed: string): DepartmentSummary[] {
  const wanted = fold(typed)
  if (!wanted) return []
  return all
    .map((each) => ({ each, rank: rankOf(each, wanted) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank || Number(b.each.freePlaces > 0) - Number(a.each.freePlaces > 0) || a.each.code.localeCompare(b.each.code))
    .map(({ each }) => each)
}

function rankOf(department: DepartmentSummary, wanted: string): number {
  const names = [fold(department.zh), fold(department.en)]
  const words = department.keywords.map(fold)
  if (names.includes(wanted)) return 5
  if (names.some((name) => name.startsWith(wanted))) return 4
  if (words.includes(wanted)) return 3.5
  if (names.some((name) => name.includes(wanted))) return 3
  if (words.some((word) => word.includes(wanted))) return 2
  // "孩子发烧" still finds the keyword 发烧.
  return words.some((word) => word.length > 1 && wanted.includes(word)) ? 1 : 0
}

function fold(value: string): string {
  return value.normalize('NFKC').toLowerCase().replace(/[\s，。、,.]+/g, ' ').trim()
}
