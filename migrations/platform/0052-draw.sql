-- Draws of scarce places. A session with a draw is released to everybody only when it has been held: until then its release_at is the start
-- of the clinic, so that no rule needs to know of draws. The seed is secret until drawn_at; its SHA-256 is published before the
-- first ticket (booking/draw.ts says how the order follows from seed and tickets).
create table draw (
  shard      int         not null,                           -- of the session
  session_id uuid        not null,
  seed       text        not null,
  commitment text        not null,
  opens_at   timestamptz not null,
  closes_at  timestamptz not null,                           -- when the session would have been released
  drawn_at   timestamptz,                                    -- null: not held yet
  list_hash  text,
  constraint draw_pkey primary key (session_id, shard),
  constraint draw_times check (opens_at < closes_at and (drawn_at is null or drawn_at >= closes_at)),
  constraint draw_list check ((drawn_at is null) = (list_hash is null))
);
create index draw_due on draw (closes_at) where drawn_at is null;

create table draw_ticket (
  shard       int         not null,                          -- of the session
  id          uuid        not null,                          -- published; says nothing about its holder
  session_id  uuid        not null,
  appointment text        not null,                          -- FHIR id of the Appointment `proposed`
  pid         uuid        not null,
  patient     text        not null,
  entered_by  text        not null,                          -- principal
  segments    smallint[]  not null,                          -- indexes of the segments that suit, the dearest first; empty: any
  state       text        not null check (state in ('entered', 'won', 'lost', 'void', 'withdrawn')),
  reason      text,                                          -- of a void ticket: the code of the rule that stood in the way
  entered_at  timestamptz not null,
  constraint draw_ticket_pkey primary key (id, shard),
  constraint draw_ticket_reason check ((state = 'void') = (reason is not null))
);
create unique index draw_ticket_once on draw_ticket (session_id, pid, shard) where state <> 'withdrawn';
create index draw_ticket_patient on draw_ticket (pid, entered_at);
create unique index draw_ticket_appointment on draw_ticket (appointment, shard);
