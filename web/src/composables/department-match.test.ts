import { expect, test } from 'vitest'
import { matchDepartments } from './department-match.ts'

const department = (code: string, zh: string, en: string, keywords: string[], freePlaces = 5) => ({ code, parent: null, zh, en, keywords, hospitals: 1, freePlaces })
const all = [
  department('03', '内科', 'Internal medicine', []), department('03.04', '心血管内科', 'Cardiology', ['心内科', '胸痛', 'chest pain']), department('07', '儿科', 'Paediatrics', ['发烧', 'fever']),
  department('03.02', '消化内科', 'Gastroenterology', ['胃痛', 'stomach ache'], 0),
]

test.each([
  ['心血管内科', ['03.04']], ['心内科', ['03.04']], ['CARDIO', ['03.04']], ['chest', ['03.04']], ['孩子发烧', ['07']], ['胃', ['03.02']], ['内科', ['03', '03.04', '03.02']], ['', []], ['牙', []],
])('“%s” finds %j', (typed, codes) => {
  expect(matchDepartments(all, typed).map((each) => each.code)).toEqual(codes)
})
