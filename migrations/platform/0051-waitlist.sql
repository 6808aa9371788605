-- Returned places and the waitlist. A place that somebody gave back is kept by a booking row `cooling`, which belongs to nobody: whoever
-- counts or looks for places sees it taken, until the sweep (booking/return-places.ts) offers it to the waitlist or, at a random instant,
-- to everybody.
alter table booking drop constraint booking_state_check;
alter table booking add constraint booking_state_check
  check (state in ('held', 'offered', 'cooling', 'booked', 'checked-in', 'arrived', 'fulfilled', 'noshow', 'cancelled'));
alter table booking
  add column return_at timestamptz,                          -- of a cooling place: when it comes back to everybody
  add column asked_at  timestamptz;                          -- of a cooling place: when the waitlist was last asked; null: not yet
alter table booking add constraint booking_cooling check ((state = 'cooling') = (return_at is not null));
create index booking_cooling_due on booking (return_at) where state = 'cooling';
drop index booking_patient_session_unique;
create unique index booking_patient_session_unique on booking (session_id, pid, shard) where state not in ('cancelled', 'offered', 'cooling');
drop index booking_patient_department_day_unique;
create unique index booking_patient_department_day_unique on booking (pid, service_date, organization, department, shard)
  where state not in ('cancelled', 'offered', 'cooling');

-- Who waits for a place in a department of a hospital. The Appointment of the entry is `waitlist`; each offer is an Appointment of its own.
create table wait_entry (
  shard          int         not null,                       -- shardOf(pid)
  id             uuid        not null,                       -- keyOf(appointment)
  appointment    text        not null,
  pid            uuid        not null,
  patient        text        not null,
  organization   text        not null,
  department     text        not null,
  practitioner   text,                                       -- null: any
  clinic_type    text,                                       -- null: any
  half           text        check (half in ('am', 'pm', 'night')),
  from_day       date        not null,
  until_day      date        not null,
  priority       text        not null check (priority in ('urgent', 'follow-up', 'routine')),
  distance_m     int,                                        -- from home to the hospital; null: not known
  earlier_than   uuid,                                       -- booking that an earlier place would replace; null: has none
  auto_accept    boolean     not null default false,
  state          text        not null check (state in ('waiting', 'offered', 'served', 'withdrawn', 'expired')),
  declined       smallint    not null default 0,
  joined_at      timestamptz not null,
  deadline_at    timestamptz not null,
  offer          uuid,                                       -- booking `offered`; only while offered
  answer_until   timestamptz,
  updated_at     timestamptz not null,
  constraint wait_entry_pkey primary key (id, shard),
  constraint wait_entry_days check (until_day >= from_day),
  constraint wait_entry_offer check ((state = 'offered') = (offer is not null) and (offer is null) = (answer_until is null))
);
create unique index wait_entry_once on wait_entry (pid, organization, department, shard) where state in ('waiting', 'offered');
create index wait_entry_list on wait_entry (organization, department, joined_at) where state in ('waiting', 'offered');
create index wait_entry_answer on wait_entry (answer_until) where state = 'offered';
create index wait_entry_deadline on wait_entry (deadline_at) where state = 'waiting';
create index wait_entry_offer_of on wait_entry (offer) where offer is not null;

-- What happened to every returned place, and why anybody was passed over. Rows are only added.
create table wait_log (
  id           bigint generated always as identity primary key,
  at           timestamptz not null,
  organization text        not null,
  department   text        not null,
  session_id   uuid        not null,
  no           smallint    not null,
  event        text        not null check (event in ('returned', 'passed-over', 'offered', 'accepted', 'declined', 'lapsed', 'released')),
  entry        uuid,                                         -- wait_entry.id
  reason       text
);
create index wait_log_department on wait_log (organization, department, at);
create index wait_log_place on wait_log (session_id, no);
create index wait_log_entry on wait_log (entry, at) where entry is not null;
