-- A number means something together with what was measured, and is searched for that way: the values of one code lie together, in their order.
alter table idx_value add column c bigint;          -- key of the code that the value belongs to; null where values are not asked for by one
create index idx_value_coded on idx_value (k, c, lo, rid) where c is not null;
-- Values that are more than a point: periods, ranges, what is said to be above or below a number. Few of the numbers are.
create index idx_value_wide on idx_value (k, hi, rid) where lo < hi;
create index idx_value_coded_wide on idx_value (k, c, hi, rid) where c is not null and lo < hi;
