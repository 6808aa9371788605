/** `_pretty=true`: JSON text laid out for people. The text is walked, not parsed, so that numbers keep their digits. */

/** @param text valid JSON without white space between its parts, or with it. */
export function prettyJson(text: string): string {
  const parts: string[] = []
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/gs)) {
    if (token === '{' || token === '[') {
      depth++
      parts.push(token, line())
    } else if (token === '}' || token === ']') {
      depth--
      const empty = parts.at(-2) === (token === '}' ? '{' : '[') && parts.at(-1)?.startsWith('\n')
      if (empty) parts.pop()
      else parts.push(line())
      parts.push(token)
    } else if (token === ',') parts.push(token, line())
    else parts.push(token === ':' ? ': ' : token)
  }
  return `${parts.join('')}\n`
}
