-- What the rows of an export refer to in the directories (practitioners, organizations …): it comes at the end of the export, each once.
create table bulk_export_reference (
  export_id uuid     not null constraint bulk_export_reference_export references bulk_export on delete cascade,
  t         smallint not null,
  id        uuid     not null,
  done      boolean  not null default false,
  constraint bulk_export_reference_pkey primary key (export_id, t, id)
);
create index bulk_export_reference_left on bulk_export_reference (export_id, t, id) where not done;
