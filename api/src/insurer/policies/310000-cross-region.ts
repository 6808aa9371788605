/**
 * What treatment in another region means to people insured in Shanghai: reductions in points [general knowledge, high], the
 * demonstration zone of Wujiang and Jiashan without filing [stated by a compilation of city rules].
 */
import type { Policy } from '../rules.ts'

export const crossRegion: Policy['crossRegion'] = {
  reductions: {
    'long-term': { mode: 'points', parts: 0 }, referred: { mode: 'points', parts: 1000 }, emergency: { mode: 'points', parts: 1000 },
    temporary: { mode: 'points', parts: 2000 }, unfiled: { mode: 'points', parts: 2000 },
  },
  withoutFiling: ['320509', '330421'],
}
