-- Times that last longer than a day, found by an instant that they span. A search from an instant on walks the date index no further than a day
-- before it, and finds what began still earlier here (records/search/since.ts); without that a narrow window with few matches would read all that is older.
-- Encounters had an index of all their periods, which this one replaces.
drop index resource_encounter_period;
create index resource_long_periods on resource using gist (tstzrange(d0, d1, '[]')) where (d1 - d0) > interval '24 hours';
