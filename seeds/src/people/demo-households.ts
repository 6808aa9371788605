/**
 * The first two households are known by name: the people behind the demo accounts. 林晓雯, about 45, with her husband, a child
 * of 8 and her father of 75; and 王磊, who lives alone.
 */
import { addYears, type Day } from '../calendar.ts'
import { type District, districts } from '../data/districts.ts'
import type { NamePart } from '../data/names.ts'
import type { Kin, Person } from './households.ts'
import type { Sex } from './names.ts'

interface DemoMember { kin: Kin; sex: Sex; birth: Day; surname: NamePart; given: NamePart; marital: Person['marital']; login: Person['login'] }

export interface DemoHousehold { district: () => District; members: (today: Day) => DemoMember[] }

function part(han: string, pinyin: string): NamePart {
  return { han, pinyin }
}

function district(code: string): () => District {
  return () => districts.find((each) => each.code === code) as District
}

export const demoHouseholds: readonly DemoHousehold[] = [
  {
    district: district('310104'),
    members: (today) => [
      { kin: 'head', sex: 'female', birth: addYears(today, -45) - 130, surname: part('林', 'lin'), given: part('晓雯', 'xiao wen'), marital: 'M', login: 'citizen' },
      { kin: 'spouse', sex: 'male', birth: addYears(today, -47) - 40, surname: part('周', 'zhou'), given: part('伟', 'wei'), marital: 'M', login: null },
      { kin: 'child', sex: 'male', birth: addYears(today, -8) - 95, surname: part('周', 'zhou'), given: part('沐阳', 'mu yang'), marital: 'S', login: null },
      { kin: 'parent', sex: 'male', birth: addYears(today, -75) - 210, surname: part('林', 'lin'), given: part('国强', 'guo qiang'), marital: 'W', login: null },
    ],
  },
  {
    district: district('310115'),
    members: (today) => [
      { kin: 'head', sex: 'male', birth: addYears(today, -38) - 61, surname: part('王', 'wang'), given: part('磊', 'lei'), marital: 'S', login: 'citizen2' },
    ],
  },
]
