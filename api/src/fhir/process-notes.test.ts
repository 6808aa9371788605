import { expect, test } from 'vitest'
import { processNotes, sentencesOf } from './process-notes.ts'

const sentences = [{ zh: '医疗费总额 8.00 元', en: 'Total of the bill: ¥8.00' }, { zh: '现金支付 8.00 元', en: 'Cash: ¥8.00' }]

test('sentences are a note a language and come back as they were', () => {
  const notes = processNotes(sentences)
  expect(notes.map(({ number, text, language }) => [number, language?.coding?.[0]?.code, text])).toEqual([[1, 'zh', '医疗费总额 8.00 元\n现金支付 8.00 元'], [2, 'en', 'Total of the bill: ¥8.00\nCash: ¥8.00']])
  expect(sentencesOf(notes)).toEqual(sentences)
})

test('notes of a sentence each are read as well; what has no English stands for itself', () => {
  const note = (code: string, text: string) => ({ text, language: { coding: [{ system: 'urn:ietf:bcp:47', code }] } })
  expect(sentencesOf(sentences.flatMap(({ zh, en }) => [note('zh', zh), note('en', en)]))).toEqual(sentences)
  expect(sentencesOf([note('zh', '未查到'), { text: 'of no language' }])).toEqual([{ zh: '未查到', en: '未查到' }])
  expect(sentencesOf(undefined)).toEqual([])
})
