import { expect, test } from 'vitest'
import { authorizeRelative, barActor, choiceView, hideEntry, shareWith } from './choices.ts'

test('each choice is read back in the words it was made with', () => {
  const doctor = { reference: 'Practitioner/d1', display: '王医生' }
  expect(choiceView(hideEntry('p1', { reference: 'Condition/c1', display: '高血压' }))).toEqual({ kind: 'hide', subject: '高血压', until: null, groups: [], sensitive: false })
  expect(choiceView(barActor('p1', doctor))).toEqual({ kind: 'bar', subject: '王医生', until: null, groups: [], sensitive: false })
  expect(choiceView(shareWith('p1', doctor, '2026-12-01', true))).toEqual({ kind: 'share', subject: '王医生', until: '2026-12-01T23:59:59+08:00', groups: [], sensitive: true })
  expect(choiceView(authorizeRelative('p1', { name: '张三', number: '999901199001010010', relationship: 'SON' }, ['problems'], '2026-12-01')))
    .toEqual({ kind: 'family-share', subject: '张三', until: '2026-12-01T23:59:59+08:00', groups: ['problems'], sensitive: false })
})

test('a consent of another kind is no choice', () => {
  const other = hideEntry('p1', { reference: 'Condition/c1' })
  expect(choiceView({ ...other, category: [{ text: 'research' }] })).toBeNull()
  expect(choiceView({ ...other, provision: undefined } as never)).toBeNull()
})
