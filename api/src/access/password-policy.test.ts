import { expect, test } from 'vitest'
import { passwordFault } from './password-policy.ts'

test.each([
  ['correct horse battery', null], ['梅花三弄在江南春雨里听', /12/], ['梅花三弄在江南的春雨里听见', null],
  ['short', /12/], ['Password1234', /common/], ['123456789123456789', /common/], ['aaaaaaaaaaaaaaa', /common/], ['PujiangPujiang1', /common/],
  ['my wangxiaolan secret', /user name/], ['x'.repeat(129), /128/],
])('%s', (password, fault) => {
  const found = passwordFault(password, ['wangxiaolan', '王小兰'])
  if (fault === null) expect(found).toBe(null)
  else expect(found?.issues[0]?.text.en).toMatch(fault)
})
