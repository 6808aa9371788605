/** States of lists, codes and the three states of loading. */
import { example, type ExampleLanguage } from './example.ts'

const say = (language: ExampleLanguage, zh: string, en: string) => (language === 'zh' ? zh : en)

export const summaryListExamples = [
  example('rows', (language) => ({
    rows: [{ key: 'a', term: say(language, '就诊人', 'Patient'), value: say(language, '张明', 'Zhang Ming') }, { key: 'b', term: say(language, '医院', 'Hospital'), value: say(language, '浦江市第一人民医院', 'Pujiang First People’s Hospital') }],
  })),
]
export const emptyExamples = [example('with advice', (language) => ({ title: say(language, '没有即将就诊的预约', 'No upcoming appointments') }), { zh: '需要时可以随时预约。', en: 'Book one whenever you need it.' })]
export const skeletonExamples = [example('three lines', {})]
export const loadExamples = [example('error', (language) => ({ pending: false, error: say(language, '网络连接不上。请检查网络后再试。', 'There is no connection. Check your network and try again.') }))]
export const qrExamples = [example('code', (language) => ({ value: 'pujiang:appointment:demo', label: say(language, '签到二维码', 'QR code for check-in') }))]
