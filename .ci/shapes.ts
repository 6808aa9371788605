/**
 * TypeScript interfaces of the JSON under /api → JSON Schema (2020-12), for the OpenAPI description: names, types, whether something may be missing, and the sentence
 * above each. Read from the syntax alone, so it takes no time; what it does not understand is an error and not a guess.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** Where shapes of /api stand. A name may stand in one of them only. */
const files = [
  'api/src/access/principal.ts', 'api/src/access/shapes.ts', 'api/src/access/second-factor.ts', 'api/src/booking/shapes.ts', 'api/src/notices/shapes.ts', 'api/src/settlement/shapes.ts',
  'api/src/insurer/shapes.ts', 'api/src/booking/referral/shapes.ts', 'api/src/records/public-health/shapes.ts',
]
type Schema = Record<string, unknown>
type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration

/** The text of the generated file: the shapes that `named` names and those they are made of. */
export function shapesText(root: string, named: readonly string[]): string {
  const declared = new Map<string, Declaration>()
  const lists = new Map<string, ts.ArrayLiteralExpression>()
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
        if (declared.has(statement.name.text)) throw new Error(`${file}: there are two shapes ${statement.name.text}.`)
        declared.set(statement.name.text, statement)
      } else if (ts.isVariableStatement(statement)) {
        for (const { name, initializer } of statement.declarationList.declarations) {
          const value = initializer && ts.isAsExpression(initializer) ? initializer.expression : initializer
          if (ts.isIdentifier(name) && value && ts.isArrayLiteralExpression(value)) lists.set(name.text, value)
        }
      }
    }
  }
  const reader = new ShapeReader(declared, lists)
  for (const name of named) reader.need(name)
  return `${JSON.stringify(reader.schemas(), null, 1)}\n`
}

class ShapeReader {
  readonly #declared: ReadonlyMap<string, Declaration>
  readonly #lists: ReadonlyMap<string, ts.ArrayLiteralExpression>
  readonly #made = new Map<string, Schema>()

  constructor(declared: ReadonlyMap<string, Declaration>, lists: ReadonlyMap<string, ts.ArrayLiteralExpression>) {
    this.#declared = declared
    this.#lists = lists
  }

  need(name: string): void {
    if (this.#made.has(name)) return
    this.#made.set(name, {})
    const declaration = this.#declarationOf(name)
    this.#made.set(name, withSentence(declaration, ts.isInterfaceDeclaration(declaration) ? this.#ofInterface(declaration) : this.#ofType(declaration.type)))
  }

  schemas(): Record<string, Schema> {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #declarationOf(name: string): Declaration {
    const declaration = this.#declared.get(name)
    if (!declaration) throw new Error(`There is no shape ${name} in ${files.join(', ')}.`)
    return declaration
  }

  #ofInterface({ members, heritageClauses }: ts.InterfaceDeclaration): Schema {
    const own = this.#ofMembers(members)
    const bases = (heritageClauses ?? []).flatMap((clause) => clause.types.map((each) => this.#reference(each.expression.getText())))
    return bases.length === 0 ? own : { allOf: [...bases, own] }
  }

  #ofMembers(members: ts.NodeArray<ts.TypeElement>): Schema {
    const properties: Record<string, Schema> = {}
    const required: string[] = []
    for (const member of members) {
      if (!ts.isPropertySignature(member) || !member.type) throw unknown(member)
      const name = member.name.getText()
      properties[name] = withSentence(member, this.#ofType(member.type))
      if (!member.questionToken) required.push(name)
    }
    return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
  }

  #ofType(type: ts.TypeNode): Schema {
    switch (type.kind) {
      case ts.SyntaxKind.StringKeyword: return { type: 'string' }
      case ts.SyntaxKind.NumberKeyword: return { type: 'number' }
      case ts.SyntaxKind.BooleanKeyword: return { type: 'boolean' }
      case ts.SyntaxKind.UnknownKeyword: return {}
      default:
    }
    if (ts.isParenthesizedTypeNode(type)) return this.#ofType(type.type)
    if (ts.isArrayTypeNode(type)) return { type: 'array', items: this.#ofType(type.elementType) }
    if (ts.isTypeOperatorNode(type)) return this.#ofType(type.type)
    if (ts.isTypeLiteralNode(type)) return this.#ofMembers(type.members)
    if (ts.isLiteralTypeNode(type)) return this.#ofLiteral(type)
    if (ts.isUnionTypeNode(type)) return this.#ofUnion(type)
    if (ts.isIntersectionTypeNode(type)) return { allOf: type.types.map((each) => this.#ofType(each)) }
    if (ts.isIndexedAccessTypeNode(type)) return this.#ofPart(type)
    if (ts.isTypeReferenceNode(type)) return this.#ofReference(type)
    throw unknown(type)
  }

  #ofLiteral(type: ts.LiteralTypeNode): Schema {
    const { literal } = type
    if (literal.kind === ts.SyntaxKind.NullKeyword) return { type: 'null' }
    if (literal.kind === ts.SyntaxKind.TrueKeyword || literal.kind === ts.SyntaxKind.FalseKeyword) return { const: literal.kind === ts.SyntaxKind.TrueKeyword }
    if (ts.isStringLiteral(literal)) return { const: literal.text }
    throw unknown(type)
  }

  #ofUnion({ types }: ts.UnionTypeNode): Schema {
    const parts = types.map((each) => this.#ofType(each))
    const codes = parts.filter((each) => typeof each.const === 'string').map((each) => each.const)
    const others = parts.filter((each) => typeof each.const !== 'string')
    const all = codes.length > 0 ? [{ type: 'string', enum: codes }, ...others] : others
    return all.length === 1 ? all[0] as Schema : { anyOf: all }
  }

  /** `Me['people'][number]['relationship']`, and `(typeof roles)[number]` of a list. */
  #ofPart(type: ts.IndexedAccessTypeNode): Schema {
    const { objectType } = type
    const inner = ts.isParenthesizedTypeNode(objectType) ? objectType.type : objectType
    if (ts.isTypeQueryNode(inner)) {
      const list = this.#lists.get(inner.exprName.getText())
      if (!list) throw unknown(type)
      return { type: 'string', enum: list.elements.map((each) => (each as ts.StringLiteral).text) }
    }
    return this.#ofType(this.#part(type))
  }

  #part(type: ts.TypeNode): ts.TypeNode {
    if (ts.isTypeReferenceNode(type) && !type.typeArguments) {
      const declaration = this.#declarationOf(type.typeName.getText())
      return ts.isInterfaceDeclaration(declaration) ? ts.factory.createTypeLiteralNode(declaration.members) : declaration.type
    }
    if (!ts.isIndexedAccessTypeNode(type)) return type
    const whole = this.#part(type.objectType)
    if (ts.isArrayTypeNode(whole)) return whole.elementType
    const name = ts.isLiteralTypeNode(type.indexType) && ts.isStringLiteral(type.indexType.literal) ? type.indexType.literal.text : null
    const member = ts.isTypeLiteralNode(whole) ? whole.members.find((each) => each.name?.getText() === name) : undefined
    if (!member || !ts.isPropertySignature(member) || !member.type) throw unknown(type)
    return member.type
  }

  #ofReference(type: ts.TypeReferenceNode): Schema {
    const name = type.typeName.getText()
    const [first, second] = type.typeArguments ?? []
    if (name === 'Record' && second) return { type: 'object', additionalProperties: this.#ofType(second) }
    if (first) throw unknown(type)
    return this.#reference(name)
  }

  #reference(name: string): Schema {
    this.need(name)
    return { $ref: `#/components/schemas/${name}` }
  }
}

/** What is said above a declaration. */
function withSentence(node: ts.Node, schema: Schema): Schema {
  const docs = (node as { jsDoc?: ts.JSDoc[] }).jsDoc?.at(-1)?.comment
  const description = (typeof docs === 'string' ? docs : ts.getTextOfJSDocComment(docs))?.replaceAll(/\s+/g, ' ').trim()
  return description ? { ...schema, description } : schema
}

function unknown(node: ts.Node): Error {
  return new Error(`${node.getSourceFile().fileName}: ${node.getText()} can't be written as JSON Schema.`)
}
