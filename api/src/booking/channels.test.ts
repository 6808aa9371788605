import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Channel, channelTaken, type ChannelTimes, choosePlace, layChannels, placeState } from './channels.ts'

const at = (day: string, clock: string) => `2026-${day}T${clock}:00+08:00`
const session: ChannelTimes = {
  channels: 'pgfwp', release_at: at('11-10', '07:00'), gp_release_at: at('11-03', '07:00'), gp_return_at: at('11-22', '12:00'),
  follow_up_return_at: at('11-23', '12:00'), onsite_release_at: at('11-24', '07:00'), onsite_return_at: at('11-24', '08:00'),
}
const segment = { start: new Date(at('11-24', '08:00')), end: new Date(at('11-24', '12:00')), firstPlace: 1, lastPlace: 5 }
const only = (...list: Channel[]) => new Set<Channel>(list)
const everybody = only('public')

test.each([
  ['before any release', '11-02 08:00', 'NNNNN', 'NNNNN'],
  ['a GP is earlier', '11-03 07:00', 'NNNNN', 'NONNN'],
  ['the release', '11-10 07:00', 'ORRRO', 'OORRO'],
  ['the GP quota a minute before its return', '11-22 11:59', 'ORRRO', 'OORRO'],
  ['the GP quota comes back', '11-22 12:00', 'OORRO', 'OORRO'],
  ['the follow-up quota comes back', '11-23 12:00', 'OOORO', 'OOORO'],
  ['the window opens: not for others', '11-24 07:00', 'OOORO', 'OOORO'],
  ['what the window left is everybody\'s', '11-24 08:00', 'OOOOO', 'OOOOO'],
])('%s (%s)', (_name, when, forEverybody, forGp) => {
  const [day = '', clock = ''] = when.split(' ')
  const now = new Date(at(day, clock))
  const states = (entitled: ReadonlySet<Channel>) => [1, 2, 3, 4, 5].map((place) => placeState(session, place, entitled, now).slice(0, 1).toUpperCase()).join('')
  expect([states(everybody), states(only('gp'))]).toEqual([forEverybody, forGp])
})

test('the place asked for is given when it is theirs; otherwise the lowest, or one of their own quota', () => {
  const now = new Date(at('11-12', '09:00'))
  expect(choosePlace(session, segment, 5, new Set(), everybody, now)).toEqual({ place: 5 })
  expect(choosePlace(session, segment, 2, new Set(), everybody, now)).toEqual({ place: 1 })
  expect(choosePlace(session, segment, 3, new Set(), only('gp', 'public'), now)).toEqual({ place: 2 })
  expect(choosePlace(session, segment, 1, new Set([1, 5]), everybody, now)).toEqual({ why: 'reserved' })
  expect(choosePlace(session, segment, 1, new Set([1, 2, 3, 4, 5]), everybody, now)).toEqual({ why: 'taken' })
  expect(choosePlace(session, segment, 1, new Set(), everybody, new Date(at('11-09', '09:00')))).toEqual({ why: 'not-released' })
})

test('a booking counts for the quota whose place it took', () => {
  expect(channelTaken(session, 2, only('public', 'gp'))).toBe('gp')
  expect(channelTaken(session, 1, only('public', 'gp'))).toBe('public')
  expect(channelTaken(session, 3, everybody)).toBe('public')
})

test('quotas are laid out as asked, never more than half of the places, and over the whole half-day', () => {
  expect(layChannels(10, { gp: 2, followUp: 1, onsite: 1 })).toBe('ppwpgppfpg')
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(60), fc.nat(60), fc.nat(60), (capacity, gp, followUp, onsite) => {
    const text = layChannels(capacity, { gp, followUp, onsite })
    const count = (letter: string) => [...text].filter((each) => each === letter).length
    const most = Math.floor(capacity / 2)
    expect(text === '' || text.length === capacity).toBe(true)
    expect(count('w')).toBe(Math.min(onsite, most))
    expect(count('g')).toBe(Math.min(gp, most - count('w')))
    expect(count('f')).toBe(Math.min(followUp, most - count('w') - count('g')))
  }))
})
