/**
 * What the database says about its city: one row of platform_fact. Invariant: everything counted in it is stored; what was
 * being loaded when a run was killed stands under `loading` and is removed by the next run before it goes on.
 */
import type { Db } from '@pujiang/api/storage/pool.ts'

/** Rises when the generator makes other people of the same seed; a city grows only by the version that made it. */
export const generatorVersion = 1

export interface CityFact {
  version: number
  seed: number
  /** YYYY-MM-DD in Shanghai: the day the city was founded, which all its dates follow from. */
  startDate: string
  /** Days of clinics from the start date on. */
  days: number
  /** Citizens that are stored whole. */
  citizens: number
  /** Citizens the latest run was asked for; more than `citizens` when it was killed. */
  wanted: number
  /** What a run is putting in now; null when none is. */
  loading: 'directory' | { from: number; to: number } | null
}

const name = 'city'

export async function readCityFact(db: Db): Promise<CityFact | null> {
  const row = await db.selectFrom('platform_fact').select('value').where('name', '=', name).executeTakeFirst()
  return row ? row.value as CityFact : null
}

export async function writeCityFact(db: Db, fact: CityFact): Promise<void> {
  await db.insertInto('platform_fact').values({ name, value: fact })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: fact })).execute()
}
