-- A claim on its way to the centre of the insured place: the row is committed before anything is sent (attempt before send).
create table forward (
  message_id text        not null constraint forward_pkey primary key,
  client_id  text        not null,
  region     text        not null,
  body_hash  text        not null,
  content    text        not null,
  state      text        not null check (state in ('prepared', 'sent', 'unknown', 'confirmed', 'rejected', 'reversing', 'reversed')),
  reason     text,
  asked      integer     not null default 0,
  created_at timestamptz not null,
  sent_at    timestamptz,
  ask_at     timestamptz,
  decided_at timestamptz
);
create index forward_due on forward (ask_at) where state in ('prepared', 'sent', 'unknown', 'reversing');

