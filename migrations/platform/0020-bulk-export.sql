-- Bulk Data exports: what was asked, how far it is, and the NDJSON it has made. The worker writes a step's rows, its position and its
-- audit rows in one transaction, so a killed export goes on where it was. Why in the database: docs/decisions/0014-bulk-export.md.

create table bulk_export (
  id             uuid        not null constraint bulk_export_pkey primary key,
  state          text        not null check (state in ('accepted', 'running', 'done', 'failed')),
  principal      jsonb       not null,              -- who asked, with the scopes of that moment
  request_url    text        not null,
  request        jsonb       not null,              -- what was asked, checked and with its defaults
  transaction_at timestamptz not null,              -- the state of this instant is exported
  accepted_at    timestamptz not null default clock_timestamp(), -- by the clock of the database
  position       jsonb,                             -- the last row that was done; null at the start
  rows_done      bigint      not null default 0,
  failures       int         not null default 0,    -- steps in a row that failed by our fault
  issues         jsonb       not null default '[]', -- why it failed
  expires_at     timestamptz not null
);
create index bulk_export_unfinished on bulk_export (accepted_at) where state in ('accepted', 'running');

-- The patients of an export of a group or of named patients, in batches of the order in which they are done.
create table bulk_export_member (
  export_id uuid    not null constraint bulk_export_member_export references bulk_export on delete cascade,
  pid       uuid    not null,
  key       bigint  not null,                       -- compartmentKey(pid), as it stands in resource.keys
  batch     int     not null,
  whole     boolean not null,                       -- the whole record whatever _since says: came into the group after it
  constraint bulk_export_member_pkey primary key (export_id, batch, pid)
);
create index bulk_export_member_key on bulk_export_member (export_id, key);
create index bulk_export_member_pid on bulk_export_member (export_id, pid);

-- Whose data an export holds: each patient gets one audit row.
create table bulk_export_patient (
  export_id uuid not null constraint bulk_export_patient_export references bulk_export on delete cascade,
  pid       uuid not null,
  constraint bulk_export_patient_pkey primary key (export_id, pid)
);

-- NDJSON, gzipped, a few megabytes of text a chunk; the chunks of a file in order are the file.
create table bulk_export_chunk (
  export_id uuid  not null constraint bulk_export_chunk_export references bulk_export on delete cascade,
  kind      text  not null check (kind in ('output', 'deleted', 'error')),
  type      text  not null,
  file      int   not null,
  chunk     int   not null,
  resources int   not null,
  content   bytea not null,
  constraint bulk_export_chunk_pkey primary key (export_id, kind, type, file, chunk)
);
alter table bulk_export_chunk alter column content set storage external;
