/**
 * What a new password must be. Length counts, not signs: twelve characters, none of the common ones, nothing of the account.
 * Source: OWASP ASVS 5.0 § 6.2 (length, common words, context words); MLPS 8.1.4.1 asks for complexity, which length replaces here.
 */
import { fail, type OutcomeError } from '../fhir/outcome.ts'

const lengthMin = 12
const lengthMax = 128
/** Stems of the most common passwords of twelve characters and more, and of our own names. */
const common = ['password', 'qwertyuiop', 'asdfghjkl', '1qaz2wsx', 'iloveyou', 'woaini', 'administrator', 'letmein', 'welcome', 'pujiang', 'shanghai', '123456789', '987654321', '5201314', 'abcdefgh']

/** Null when it will do. @param about words of the account: login, phone, name. */
export function passwordFault(password: string, about: readonly string[]): OutcomeError | null {
  const plain = password.normalize('NFKC').toLowerCase()
  if ([...password].length < lengthMin || password.length > lengthMax) {
    return weak(`密码须为 ${lengthMin} 到 ${lengthMax} 个字符。可以用几个不相干的词连成一句。`, `A password needs ${lengthMin} to ${lengthMax} characters. A few unrelated words make a good one.`)
  }
  const stripped = common.reduce((left, word) => left.replaceAll(word, ''), plain)
  if ([...stripped].length < 5 || new Set(plain).size < 5) return weak('这个密码太常见，请换一个。', 'This password is too common. Choose another.')
  if (about.some((word) => [...word].length >= 3 && plain.includes(word.toLowerCase()))) return weak('密码中不要含有账号、手机号或姓名。', 'Leave your user name, phone number and name out of the password.')
  return null
}

function weak(zh: string, en: string): OutcomeError {
  return fail('password-weak', { zh, en }, 'password')
}
