/** What is said of resources that do not keep a profile, in both languages. `profile` is its title. */
import type { Sentence } from '../../fhir/outcome.ts'

const by = (profile: string): { zh: string; en: string } => ({ zh: profile ? `（规范“${profile}”）` : '', en: profile ? ` (profile "${profile}")` : '' })

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 200)
}

export function tooFew(name: string, min: number, found: number, profile: string): Sentence {
  return {
    zh: `“${name}”至少要有 ${min} 项，现有 ${found} 项${by(profile).zh}。`,
    en: `"${name}" must occur at least ${min} ${min === 1 ? 'time' : 'times'}, not ${found}${by(profile).en}.`,
  }
}

export function tooManyInProfile(name: string, max: number, profile: string): Sentence {
  return max === 0
    ? { zh: `这里不能有“${name}”${by(profile).zh}，请删除。`, en: `"${name}" may not be given${by(profile).en}. Remove it.` }
    : { zh: `“${name}”最多 ${max} 项${by(profile).zh}。`, en: `"${name}" may occur at most ${max} times${by(profile).en}.` }
}

export function sliceTooFew(slice: string, min: number, found: number, profile: string): Sentence {
  return {
    zh: `至少要有 ${min} 项“${slice}”，现有 ${found} 项${by(profile).zh}。`,
    en: `At least ${min} of the slice "${slice}" must be given, not ${found}${by(profile).en}.`,
  }
}

export function sliceTooMany(slice: string, max: number, profile: string): Sentence {
  return { zh: `“${slice}”最多 ${max} 项${by(profile).zh}。`, en: `At most ${max} of the slice "${slice}" may be given${by(profile).en}.` }
}

export function closedSlicing(slices: readonly string[], profile: string): Sentence {
  return { zh: `此项不属于 ${slices.join('、')} 中的任何一种${by(profile).zh}。`, en: `This is none of ${slices.join(', ')}, and nothing else is allowed${by(profile).en}.` }
}

export function notAtEnd(slices: readonly string[], profile: string): Sentence {
  return { zh: `其他内容须排在 ${slices.join('、')} 之后${by(profile).zh}。`, en: `Anything else must come after ${slices.join(', ')}${by(profile).en}.` }
}

export function outOfOrder(slices: readonly string[], profile: string): Sentence {
  return { zh: `须按 ${slices.join('、')} 的顺序排列${by(profile).zh}。`, en: `The order must be ${slices.join(', ')}${by(profile).en}.` }
}

export function wrongType(found: string, types: readonly string[], profile: string): Sentence {
  return { zh: `类型应为 ${types.join('、')}，而不是 ${found}${by(profile).zh}。`, en: `The type must be ${types.join(' or ')}, not ${found}${by(profile).en}.` }
}

export function wrongTargetInProfile(found: string, types: readonly string[], profile: string): Sentence {
  return { zh: `这里只能引用 ${types.join('、')}，不能引用 ${found}${by(profile).zh}。`, en: `This may refer only to ${types.join(', ')}, not to a ${found}${by(profile).en}.` }
}

export function targetKeepsNone(titles: readonly string[], profile: string): Sentence {
  return { zh: `所引用的资源不符合规范 ${titles.map((each) => `“${each}”`).join('、')}${by(profile).zh}。`, en: `The resource that this refers to does not keep ${titles.map((each) => `"${each}"`).join(' or ')}${by(profile).en}.` }
}

export function notFixed(fixed: unknown, profile: string): Sentence {
  return { zh: `值必须是 ${shown(fixed)}${by(profile).zh}。`, en: `The value must be ${shown(fixed)}${by(profile).en}.` }
}

export function notPattern(pattern: unknown, profile: string): Sentence {
  return { zh: `值必须包含 ${shown(pattern)}${by(profile).zh}。`, en: `The value must include ${shown(pattern)}${by(profile).en}.` }
}

export function tooLong(max: number, profile: string): Sentence {
  return { zh: `最多 ${max} 个字${by(profile).zh}。`, en: `At most ${max} characters are allowed${by(profile).en}.` }
}

export function tooShort(min: number, profile: string): Sentence {
  return { zh: `至少 ${min} 个字${by(profile).zh}。`, en: `At least ${min} characters are needed${by(profile).en}.` }
}

export function tooSmall(limit: unknown, profile: string): Sentence {
  return { zh: `不能小于 ${shown(limit)}${by(profile).zh}。`, en: `The value may not be less than ${shown(limit)}${by(profile).en}.` }
}

export function tooLarge(limit: unknown, profile: string): Sentence {
  return { zh: `不能大于 ${shown(limit)}${by(profile).zh}。`, en: `The value may not be greater than ${shown(limit)}${by(profile).en}.` }
}

export function noProfileKept(titles: readonly string[]): Sentence {
  return { zh: `内容不符合以下任何一个规范：${titles.join('、')}。`, en: `This keeps none of the profiles ${titles.join(', ')}.` }
}

export function otherVersion(canonical: string): Sentence {
  return {
    zh: `有这个规范，但没有 ${canonical} 所写的版本。请改为现有的版本，或去掉“|”及其后的版本号。`,
    en: `The profile is known, but not in the version that ${canonical} names. Name a version that is here, or leave out "|" and the version.`,
  }
}

export function unknownProfile(url: string): Sentence {
  return {
    zh: `没有规范 ${url}。请先上传该 StructureDefinition，或从 meta.profile 中删除。`,
    en: `The profile ${url} is not known here. Store its StructureDefinition first, or take it out of meta.profile.`,
  }
}

export function unknownBase(profile: string, url: string): Sentence {
  return { zh: `规范“${profile}”所依据的 ${url} 未知，无法校验。`, en: `The profile "${profile}" is based on ${url}, which is not known here.` }
}

export function wrongProfileType(profile: string, type: string, found: string): Sentence {
  return { zh: `规范“${profile}”用于 ${type}，不能用于 ${found}。`, en: `The profile "${profile}" is for ${type}, not for ${found}.` }
}

export function notEvaluated(key: string): Sentence {
  return { zh: `约束 ${key} 的表达式可能无法结束，未执行。`, en: `The expression of the constraint ${key} might not end, so it was not evaluated.` }
}

export function unknownModifier(url: string): Sentence {
  return {
    zh: `不认识的修饰扩展 ${url} 可能改变含义，不能接收。`,
    en: `The modifier extension ${url} is not known here and may change the meaning, so it cannot be accepted.`,
  }
}

export function wrongContext(url: string, places: readonly string[]): Sentence {
  return { zh: `扩展 ${url} 只能用于 ${places.join('、')}。`, en: `The extension ${url} may stand only on ${places.join(', ')}.` }
}

export function unknownPart(url: string, name: string, suggestion: string | null): Sentence {
  return {
    zh: `扩展 ${url} 没有部分“${name}”${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `The extension ${url} has no part "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}

export function contextInvariantBroken(url: string, rule: string): Sentence {
  return { zh: `扩展 ${url} 只能用于满足 ${rule} 的元素。`, en: `The extension ${url} may stand only on an element of which this is true: ${rule}.` }
}

export function extensionTooMany(url: string, max: number): Sentence {
  return { zh: `扩展 ${url} 最多 ${max} 项。`, en: `The extension ${url} may occur at most ${max} times.` }
}
