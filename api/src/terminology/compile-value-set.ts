/**
 * A ValueSet resource → `CompiledSet`. A clause of `compose` says of one code whether it is in, and can list its candidates;
 * listing is then nothing but asking about each candidate, so that $expand and $validate-code cannot disagree:
 *   set = codes in any include, without codes in any exclude; an include = system, listed codes, all filters, all imported sets.
 * Source: FHIR R4 ValueSet § Content Logical Definition.
 */
import type { ValueSet } from '@medplum/fhirtypes'
import { OutcomeError } from '../fhir/outcome.ts'
import { type Condition, conditionOf } from './filters.ts'
import { type Clause, type ListedCode, readCompose } from './read-compose.ts'
import * as say from './sentences.ts'
import type { Budget, CompiledSet, Concept, Library, Member, System } from './shapes.ts'

export interface Compilation {
  library: Library
  budget: Budget
  /** Sets compiled already, by `url|version`; shared by all that import them. */
  done: Map<string, CompiledSet>
}

export function newBudget(): Budget {
  return { questions: 2_000_000, patterns: { ms: 250 } }
}

function spend(budget: Budget, questions: number): void {
  budget.questions -= questions
  if (budget.questions < 0) throw say.tooMuchWork()
}

/** @throws OutcomeError `value-invalid` (broken, circle), `not-found` (an imported set), `too-costly`, `code-system-absent`. */
export function compileValueSet(resource: ValueSet, compilation: Compilation, path: readonly string[] = []): CompiledSet {
  const url = resource.url ?? null
  if (url !== null && path.includes(url)) throw say.cycle([...path.slice(path.indexOf(url)), url])
  const inner = url === null ? path : [...path, url]
  const compose = readCompose(resource)
  const parts = { include: compose.include.map((each) => new Part(each, compilation, inner)), exclude: compose.exclude.map((each) => new Part(each, compilation, inner)) }

  const kept = (member: Member | null): Member | null => {
    if (member === null || (compose.activeOnly && member.concept.inactive)) return null
    spend(compilation.budget, parts.exclude.length)
    return parts.exclude.some((part) => part.find(member.system, member.concept.code) !== null) ? null : member
  }
  let listed: Member[] | null = null
  return {
    url, version: resource.version ?? null,
    open: parts.include.some((part) => part.open),
    systems: new Set([...parts.include, ...parts.exclude].flatMap((part) => [...part.systems])),
    find: (system, code) => firstOf(parts.include, (part) => kept(part.find(system, code))),
    members: () => listed ??= distinct(parts.include.flatMap((part) => part.candidates().map(kept).filter((each) => each !== null))),
  }
}

/** An answer of any clause counts; that one of them cannot tell matters only when none has the code. */
function firstOf(parts: readonly Part[], find: (part: Part) => Member | null): Member | null {
  let unsure: unknown = null
  for (const part of parts) {
    try {
      const member = find(part)
      if (member) return member
    } catch (error) {
      if (!(error instanceof OutcomeError)) throw error
      unsure = error
    }
  }
  if (unsure !== null) throw unsure
  return null
}

function distinct(members: readonly Member[]): Member[] {
  const byKey = new Map<string, Member>()
  for (const each of members) {
    const key = `${each.system}|${each.concept.code}`
    if (!byKey.has(key)) byKey.set(key, each)
  }
  return [...byKey.values()]
}

/** One clause of include or exclude. */
class Part {
  readonly systems: ReadonlySet<string>
  readonly open: boolean
  private readonly clause: Clause
  private readonly budget: Budget
  private readonly system: System | null
  private readonly listed: ReadonlyMap<string, ListedCode> | null
  private readonly imported: readonly CompiledSet[]
  private conditions: Condition[] | null = null

  constructor(clause: Clause, compilation: Compilation, path: readonly string[]) {
    this.clause = clause
    this.budget = compilation.budget
    this.system = clause.system === null ? null : compilation.library.system(clause.system, clause.version)
    this.listed = clause.concepts && new Map(clause.concepts.map((each) => [each.code, each]))
    this.imported = clause.valueSets.map((each, no) => importSet(each, `${clause.at}.valueSet[${no}]`, compilation, path))
    this.open = (this.system !== null && !this.system.complete && this.listed === null) || (this.system === null && this.imported.some((set) => set.open))
    const version = this.system?.version ?? clause.version
    this.systems = new Set([
      ...(clause.system === null ? [] : [version === null ? clause.system : `${clause.system}|${version}`]),
      ...this.imported.flatMap((set) => [...set.systems]),
    ])
  }

  find(system: string | null, code: string): Member | null {
    if (system !== null && this.clause.system !== null && system !== this.clause.system) return null
    if (this.clause.system === null) return this.inAll(system, code)
    const member = this.ownMember(code)
    return member && (this.imported.length === 0 || this.inAll(member.system, member.concept.code)) ? member : null
  }

  /** Every code that may be in; each is one `find` would find. */
  candidates(): Member[] {
    const found = this.clause.system === null ? this.imported[0]?.members() ?? [] : this.ownCandidates()
    spend(this.budget, found.length)
    spend(this.budget, found.length * this.imported.length)
    return found.filter((each) => this.imported.every((set) => set.find(each.system, each.concept.code) !== null))
  }

  private ownCandidates(): Member[] {
    if (this.listed) return [...this.listed.keys()].map((code) => this.ownMember(code)).filter((each) => each !== null)
    const system = this.knownSystem()
    if (system.concepts === null) throw say.endlessSystem(system.name)
    return system.concepts.filter((concept) => this.passes(concept)).map((concept) => this.member(concept, null))
  }

  /** By what the clause says of its own system. */
  private ownMember(code: string): Member | null {
    if (!this.listed) {
      const concept = this.knownSystem().find(code)
      return concept && this.passes(concept) ? this.member(concept, null) : null
    }
    const concept = this.system?.find(code) ?? null
    const entry = this.listed.get(concept?.code ?? code) ?? this.listed.get(code)
    if (!entry) return null
    // A list may name codes of a system that is not carried here, or not wholly; of one that is, only codes that exist.
    if (!concept && this.system?.complete) return null
    return this.member(concept ?? conceptNamed(entry), entry)
  }

  private inAll(system: string | null, code: string): Member | null {
    spend(this.budget, this.imported.length)
    const member = this.imported[0]?.find(system, code) ?? null
    return member && this.imported.every((set) => set.find(member.system, member.concept.code) !== null) ? member : null
  }

  private passes(concept: Concept): boolean {
    const { clause: { filters, at }, budget } = this
    this.conditions ??= filters.map((filter, no) => conditionOf({ system: this.knownSystem(), filter, at: `${at}.filter[${no}]`, budget }))
    return this.conditions.every((condition) => condition(concept))
  }

  private knownSystem(): System {
    if (!this.system || (!this.system.complete && this.system.concepts?.length === 0)) throw say.systemAbsent(this.clause.system ?? '', `${this.clause.at}.system`)
    return this.system
  }

  private member(concept: Concept, entry: ListedCode | null): Member {
    return {
      system: this.clause.system ?? '', version: this.system?.version ?? this.clause.version, language: this.system?.language ?? 'en', concept,
      display: entry?.display ?? null, designations: entry?.designations ?? [], nests: entry === null,
    }
  }
}

function conceptNamed({ code, display }: ListedCode): Concept {
  return { code, display, definition: null, designations: [], properties: [], parents: [], children: [], abstract: false, inactive: false }
}

function importSet({ url, version }: { url: string; version: string | null }, at: string, compilation: Compilation, path: readonly string[]): CompiledSet {
  if (path.includes(url)) throw say.cycle([...path.slice(path.indexOf(url)), url])
  const key = version === null ? url : `${url}|${version}`
  const known = compilation.done.get(key)
  if (known) return known
  const ready = compilation.library.compiledSet(url, version)
  if (ready) return ready
  const resource = compilation.library.valueSet(url, version)
  if (!resource) throw say.definitionUnknown('ValueSet', key, at)
  const compiled = compileValueSet(resource, compilation, path)
  compilation.done.set(key, compiled)
  return compiled
}
