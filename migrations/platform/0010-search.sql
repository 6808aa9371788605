-- What searches need beside the keys of each row.

-- The distinct texts and addresses that keys stand for: displays of codes for `:text`, uris for `:below`. Few and rarely new, so a write seldom
-- touches it; a row more than needed does no harm. A reference table when the store is spread over machines.
create table search_text (
  k   bigint not null,                              -- hash of Type.parameter
  h   bigint not null,                              -- the key in resource.keys
  val text   not null,                              -- normalised text, or the uri as written
  constraint search_text_pkey primary key (k, h)
);

-- Indexing anew what was stored before a type's search parameters changed: one row a type, for ever.
create table reindex (
  t           smallint    not null constraint reindex_pkey primary key,
  fingerprint text        not null,                 -- of the parameters that rows are indexed by
  state       text        not null check (state in ('running', 'done')),
  position    uuid,                                 -- the last row that was done; null at the start
  rows_done   bigint      not null default 0,
  rows_total  bigint      not null,                 -- counted at the start
  started_at  timestamptz not null,
  finished_at timestamptz
);
