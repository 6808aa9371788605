-- The steps before a settlement, as we made them: the registration of a visit at the centre, and batches of its details. A step is
-- committed with its message id before it is sent, and the same message is sent again until it is answered: the centre gives one
-- message one answer. `undoing` is committed before it is taken back there. Rows of a patient, on the patient's shard.
create table visit_step (
  shard        int         not null,
  id           uuid        not null,
  encounter    uuid        not null,
  kind         text        not null check (kind in ('register', 'upload')),
  message_id   text        not null,
  facts        text        not null,              -- of a registration: what it says, without the message id; of a batch: ''
  request      text        not null,              -- as sent, JSON
  lines        text        not null,              -- of a batch: JSON, charge item → what was sent of it; of a registration: {}
  state        text        not null check (state in ('prepared', 'done', 'rejected', 'undoing', 'undone')),
  visit_number text,                              -- of the centre
  reason       text,                              -- why it was rejected, or why it is not answered yet
  tries        int         not null default 0,
  try_at       timestamptz not null,              -- when it is sent next, while prepared or undoing
  created_at   timestamptz not null,
  decided_at   timestamptz,
  principal_id text        not null,
  constraint visit_step_pkey primary key (id, shard),
  constraint visit_step_number check (visit_number is not null or state in ('prepared', 'rejected') or kind = 'upload')
);
create unique index visit_step_registered on visit_step (encounter, shard) where kind = 'register' and state in ('prepared', 'done', 'undoing');
create unique index visit_step_message on visit_step (message_id, shard);
create index visit_step_encounter on visit_step (encounter, created_at);
create index visit_step_due on visit_step (try_at) where state in ('prepared', 'undoing');

alter table bill
  add column visit_number  text,                  -- the registered visit that the standing settlement names; null: none
  add column uploaded_at   timestamptz,           -- `updated_at` of the bill whose details the job has looked at
  add column details_held  boolean not null default false;  -- taken back by a person: the job does not upload them again
create index bill_to_upload on bill (updated_at) where state in ('open', 'reversed') and total_fen > 0 and not details_held;
