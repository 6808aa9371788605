-- Of the values of one resource a search asks for those of one parameter. Since codes are stored by date among them (records/search/dated-codes.ts), each has more.
create index idx_value_row on idx_value (rid, k);
drop index idx_value_rid;
