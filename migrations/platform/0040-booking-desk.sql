-- The booking desk grows: dated parameters with who set them, channel quotas, offers of another place, the working calendar,
-- notices. Release and return of quotas are facts of time: instants in the row, never a change of rows.

-- A change of a number is a row that stays. In force at an instant: of a scope's rows whose span holds it the one with the latest
-- from_at, then the latest set_at. A null value gives the number back to the wider scope.
alter table booking_parameter drop constraint booking_parameter_pkey;
alter table booking_parameter alter column value drop not null;
alter table booking_parameter add column id uuid not null default gen_random_uuid();
alter table booking_parameter add column set_at timestamptz not null default now();
alter table booking_parameter add column set_by_name text not null default '';
alter table booking_parameter add constraint booking_parameter_pkey primary key (id);
alter table booking_parameter add constraint booking_parameter_span check (until_at is null or until_at > from_at);
create index booking_parameter_scope on booking_parameter (scope, scope_id, name, from_at);

-- `channels` has one letter a place (p public, g GP, f follow-up, w window); shorter than capacity: the rest is public.
-- Each quota opens and returns to everybody at its own instants; null: opens with the public, never returns.
-- `changed` is the transaction that last changed what a search shows; it lets readers ask for what is new since a snapshot.
alter table clinic_session
  add column channels            text        not null default '',
  add column gp_release_at       timestamptz,
  add column gp_return_at        timestamptz,
  add column follow_up_return_at timestamptz,
  add column onsite_release_at   timestamptz,
  add column onsite_return_at    timestamptz,
  add column substitute_for      text,                 -- FHIR id of the Practitioner who was to hold it
  add column status_reason       text,                 -- why it was suspended or substituted, in the scheduler's words
  add column changed             xid8        not null default pg_current_xact_id();
create index clinic_session_changed on clinic_session (changed);

-- `offered`: a place kept for somebody as a choice, until held_until. A booking whose clinic was suspended or given to another
-- doctor waits until choose_until for the patient's word. refund_fen: what the provider owes back.
alter table booking drop constraint booking_state_check;
alter table booking add constraint booking_state_check
  check (state in ('held', 'offered', 'booked', 'checked-in', 'arrived', 'fulfilled', 'noshow', 'cancelled'));
alter table booking drop constraint booking_held;
alter table booking add constraint booking_held check ((state in ('held', 'offered')) = (held_until is not null));
alter table booking
  add column channel      text not null default 'public' check (channel in ('public', 'gp', 'follow-up', 'onsite')),
  add column offer_of     uuid,                        -- the booking that this offered place would replace
  add column choose_until timestamptz,
  add column refund_fen   bigint check (refund_fen >= 0),
  add column changed      xid8 not null default pg_current_xact_id();
create index booking_changed on booking (changed);
create index booking_choose_until on booking (choose_until) where choose_until is not null;
create index booking_offer_of on booking (offer_of) where offer_of is not null and state = 'offered';
create index booking_patient_cancelled on booking (pid, updated_at) where state = 'cancelled';
drop index booking_held_until;
create index booking_held_until on booking (held_until) where state in ('held', 'offered');
-- An offered place is a choice, not a visit: it may lie on the day and in the department of the visit that it would replace.
drop index booking_patient_session_unique;
create unique index booking_patient_session_unique on booking (session_id, pid, shard) where state not in ('cancelled', 'offered');
drop index booking_patient_department_day_unique;
create unique index booking_patient_department_day_unique on booking (pid, service_date, organization, department, shard)
  where state not in ('cancelled', 'offered');

alter table clinic_provider
  add column latitude  double precision,
  add column longitude double precision;

-- Days that do not follow their weekday. organization '' is the whole city; a hospital's own row wins over it.
create table calendar_day (
  day          date     not null,
  organization text     not null default '',
  as_weekday   smallint check (as_weekday between 1 and 7),  -- clinics of that weekday are held; null: no clinics
  name_zh      text     not null,
  name_en      text     not null,
  provisional  boolean  not null default false,              -- the State Council's notice for the year is not out yet
  set_by       text     not null,
  set_at       timestamptz not null default now(),
  constraint calendar_day_pkey primary key (day, organization)
);

-- Who should know what. Text is made by the reader from kind and params; channels deliver from here.
create table notice (
  shard          int         not null,                       -- of the patient, else of the recipient's key
  id             uuid        not null,
  recipient_kind text        not null check (recipient_kind in ('patient', 'practitioner', 'organization')),
  recipient      text        not null,                       -- FHIR id
  kind           text        not null,                       -- key of the sentence, such as session-suspended
  params         jsonb       not null,
  appointment    text,                                       -- FHIR id of the Appointment it is about
  created_at     timestamptz not null,
  read_at        timestamptz,
  constraint notice_pkey primary key (id, shard)
);
create index notice_recipient on notice (recipient, recipient_kind, created_at desc);
