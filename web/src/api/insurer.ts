/** The insurance officer's desk, which the platform hands on to the centre of the region. */
import type {
  OfficeClaim, OfficeClaimDetail, OfficeClearing, OfficeDifference, OfficeFiling, OfficePolicy, PolicyQuestion, WhatIfAnswer, WhatIfQuestion,
} from '@pujiang/api/insurer/shapes.ts'
import { query, request } from './http.ts'

export type {
  OfficeClaim, OfficeClaimDetail, OfficeClearing, OfficeDifference, OfficeFiling, OfficePolicy, PolicyQuestion, WhatIfAnswer, WhatIfQuestion,
} from '@pujiang/api/insurer/shapes.ts'

const get = <T>(path: string, signal?: AbortSignal): Promise<T> => request('GET', `/api/insurer/${path}`, signal ? { signal } : {})
const post = <T>(path: string, body: unknown = {}): Promise<T> => request('POST', `/api/insurer/${path}`, { body })

export const officeClaims = (day: string, signal?: AbortSignal) => get<OfficeClaim[]>(`claims${query({ day })}`, signal)
export const officeClaim = (messageId: string, signal?: AbortSignal) => get<OfficeClaimDetail>(`claims/${messageId}`, signal)
export const officeDifferences = (signal?: AbortSignal) => get<OfficeDifference[]>('differences', signal)
export const officeClearings = (signal?: AbortSignal) => get<OfficeClearing[]>('clearings', signal)
export const officeFilings = (signal?: AbortSignal) => get<OfficeFiling[]>('filings', signal)
export const officePolicies = (signal?: AbortSignal) => get<OfficePolicy[]>('policies', signal)
export const resolveDifference = (each: OfficeDifference, note: string) => post(`differences/${each.statement}/${each.messageId}/${each.kind}`, { note })
export const approveClearing = (id: string, deductedFen: number, reason: string | null) => post(`clearings/${id}/approve`, { deductedFen, reason })
export const payClearing = (id: string) => post(`clearings/${id}/pay`)
/** A whole policy, as its file says, over the claims of a time. */
export const tryPolicyFile = (question: PolicyQuestion) => post<WhatIfAnswer>('what-if/file', question)
export const askWhatIf = (question: WhatIfQuestion) => post<WhatIfAnswer>('what-if', question)
