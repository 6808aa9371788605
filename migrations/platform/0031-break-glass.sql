-- Emergency access to a record without another reason: one clinician, one patient, half an hour. Kept in the clinician's shard, because
-- what nobody has reviewed blocks that clinician's next use: the unique index is what two requests at once can not pass.
create table break_glass (
  shard             int         not null,          -- shardOf(practitioner)
  id                uuid        not null,
  pid               uuid        not null,
  patient           text        not null,          -- FHIR id
  practitioner      uuid        not null,
  account           text        not null,          -- whom the review is about
  name              text        not null,          -- as the citizen reads it
  organization      text        not null,          -- FHIR id
  organization_name text        not null,
  reason            text        not null check (reason in ('unconscious', 'life-threatening', 'childbirth', 'other-emergency')),
  explanation       text        not null check (length(explanation) between 10 and 500),
  opened_at         timestamptz not null,
  until_at          timestamptz not null,
  seen_at           timestamptz,                   -- when the citizen was shown it
  reviewed_at       timestamptz,
  reviewer          text,                          -- account of the audit administrator
  reviewer_name     text,
  verdict           text check (verdict in ('justified', 'unjustified')),
  note              text,
  constraint break_glass_pkey primary key (id, shard),
  constraint break_glass_reviewed check ((reviewed_at is null) = (verdict is null) and (reviewed_at is null) = (reviewer is null)),
  constraint break_glass_not_by_oneself check (reviewer is null or reviewer <> account)
);
create unique index break_glass_one_unreviewed on break_glass (practitioner, shard) where reviewed_at is null;
create index break_glass_patient on break_glass (pid, opened_at desc);
create index break_glass_opened on break_glass (opened_at desc);
