/** States of the form components. */
import { example, type ExampleLanguage } from './example.ts'

const say = (language: ExampleLanguage, zh: string, en: string) => (language === 'zh' ? zh : en)

export const errorSummaryExamples = [
  example('two errors', (language) => ({ errors: [{ id: null, text: say(language, '请输入账号', 'Enter your account') }, { id: null, text: say(language, '请输入密码', 'Enter your password') }] })),
]

export const radioCardsExamples = [
  example('days, one full', (language) => ({
    legend: say(language, '就诊日期', 'Day'), modelValue: '2',
    options: [{ value: '1', label: say(language, '今天 约满', 'Today, full'), disabled: true }, { value: '2', label: say(language, '明天 余 3', 'Tomorrow, 3 left') }, { value: '3', label: say(language, '周四 余 12', 'Thursday, 12 left') }],
  })),
  example('wide', (language) => ({
    legend: say(language, '为谁挂号', 'Who is it for?'), modelValue: null, least: 'wide',
    options: [{ value: '1', label: say(language, '张明（本人）', 'Zhang Ming (myself)') }, { value: '2', label: say(language, '张小雨（子女）', 'Zhang Xiaoyu (child)') }],
  })),
]

export const selectExamples = [
  example('chosen', (language) => ({
    'modelValue': 'a', 'aria-label': say(language, '所在区', 'District'), 'options': [{ value: 'a', text: say(language, '黄浦区', 'Huangpu') }, { value: 'b', text: say(language, '静安区', 'Jing’an') }],
  })),
]

export const comboboxExamples = [
  example('empty', (language) => ({
    id: 'gallery-combobox', label: say(language, '添加诊断', 'Add a diagnosis'), typed: '', choices: [], empty: say(language, '没有找到', 'Nothing found'),
  })),
]
