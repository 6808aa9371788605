/**
 * The doctors behind the demo accounts: fixed names at fixed places, so that the start-up text can name them. Each is the
 * first doctor of that department at that hospital.
 */
import type { PersonName } from '../fhir-elements.ts'
import { personName } from '../people/names.ts'
import type { Title } from './doctors.ts'

interface DemoDoctor {
  login: 'doctor' | 'doctor2' | 'gp'
  hospital: string
  department: string
  title: Title
  sex: 'male' | 'female'
  name: PersonName
}

export const demoStaff: readonly DemoDoctor[] = [
  { login: 'doctor', hospital: '上海市申浦医院', department: '03.04', title: 'associate-chief', sex: 'male', name: personName({ han: '陈', pinyin: 'chen' }, { han: '思远', pinyin: 'si yuan' }) },
  { login: 'doctor2', hospital: '上海市望潮医院', department: '03.07', title: 'chief', sex: 'female', name: personName({ han: '顾', pinyin: 'gu' }, { han: '慧芳', pinyin: 'hui fang' }) },
  { login: 'gp', hospital: '徐汇区双榆社区卫生服务中心', department: '02', title: 'attending', sex: 'female', name: personName({ han: '陆', pinyin: 'lu' }, { han: '敏', pinyin: 'min' }) },
]
