-- Referrals by a GP, and quotas that the database keeps. Words (reason, question, answer) stand in the ServiceRequest and the Task only; this
-- row is the state machine: who has to act (follows from the state, booking/referral/steps.ts), until when, and whom that was escalated to.
create table referral (
  shard           int         not null,                      -- of pid
  id              uuid        not null,                      -- keyOf(ServiceRequest id)
  request         text        not null,                      -- FHIR id of the ServiceRequest
  task            text        not null,                      -- FHIR id of the Task
  code            text        not null,                      -- ten letters and digits on the patient's paper
  pin_hash        text        not null,                      -- argon2id; the PIN itself is kept nowhere
  pid             uuid        not null,
  patient         text        not null,                      -- FHIR id
  gp              text        not null,                      -- FHIR id of the Practitioner who refers
  gp_organization text        not null,
  organization    text        not null,                      -- where the patient is to be seen; FHIR ids
  department      text        not null,
  practitioner    text,                                      -- null: anybody of the department
  priority        text        not null constraint referral_priority check (priority in ('routine', 'urgent')),
  state           text        not null constraint referral_state check
    (state in ('requested', 'returned', 'accepted', 'no-place', 'booked', 'attended', 'answered', 'completed', 'cancelled', 'expired')),
  booking         uuid,                                      -- booking.id
  deadline_at     timestamptz,                               -- until when the owner of the state should have acted
  escalation      smallint    not null default 0 constraint referral_escalation check (escalation between 0 and 2),
  escalate_at     timestamptz,                               -- when the next one is told; null: everybody has been
  expires_at      timestamptz not null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  constraint referral_pkey primary key (id, shard),
  -- A referral that is not over has a deadline, and one that is over has none: nobody is left in limbo.
  constraint referral_deadline check ((state in ('completed', 'cancelled', 'expired')) = (deadline_at is null)),
  constraint referral_over check (deadline_at is not null or escalate_at is null),
  constraint referral_booking check (case when state = 'booked' then booking is not null when state in ('requested', 'returned', 'accepted', 'no-place') then booking is null else true end)
);
create unique index referral_code on referral (code, shard);
create index referral_code_lookup on referral (code);
create index referral_task on referral (task);
-- One open referral of a patient to a department of a hospital.
create unique index referral_open_unique on referral (pid, organization, department, shard) where state not in ('answered', 'completed', 'cancelled', 'expired');
create index referral_gp on referral (gp, created_at desc);
create index referral_organization on referral (organization, department, created_at desc);
create index referral_patient on referral (pid, created_at desc);
create index referral_escalate on referral (escalate_at) where escalate_at is not null;
create index referral_expires on referral (expires_at) where state in ('requested', 'returned', 'accepted', 'no-place');

-- The steps that there are, for whatever writes the row. What is over stays as it is.
create function referral_step() returns trigger language plpgsql as $$
begin
  if old.state in ('completed', 'cancelled', 'expired')
    or (new.state <> old.state and not (old.state || ' ' || new.state) = any (array[
      'requested accepted', 'requested returned', 'requested answered', 'requested cancelled', 'requested expired',
      'returned requested', 'returned cancelled', 'returned expired',
      'accepted no-place', 'accepted booked', 'accepted answered', 'accepted cancelled', 'accepted expired',
      'no-place accepted', 'no-place requested', 'no-place booked', 'no-place cancelled', 'no-place expired',
      'booked accepted', 'booked attended', 'attended answered', 'answered completed'])) then
    raise exception 'A referral does not go from % to %.', old.state, new.state using errcode = '23514', constraint = 'referral_step';
  end if;
  return new;
end $$;
create trigger referral_step before update on referral for each row execute function referral_step();

-- What happened to a referral. Rows are only added.
create table referral_event (
  id         bigint      generated always as identity primary key,
  referral   uuid        not null,
  at         timestamptz not null,
  step       text        not null,
  from_state text,
  to_state   text        not null,
  by_id      text        not null,                           -- principal
  by_name    text        not null
);
create index referral_event_referral on referral_event (referral, id);
create function referral_event_stays() returns trigger language plpgsql as $$
begin
  raise exception 'Rows of referral_event are only added.' using errcode = '23514', constraint = 'referral_event_stays';
end $$;
create trigger referral_event_stays before update or delete on referral_event for each row execute function referral_event_stays();

-- Tries of a PIN, counted for whoever tries: an account locks nobody but itself. A system that many people stand before counts by code.
create table referral_try (
  caller       text        not null,
  tries        smallint    not null,
  since        timestamptz not null,
  constraint referral_try_pkey primary key (caller)
);

-- A referral is used once: by the place that is kept or was visited with it.
alter table booking add column referral uuid;
create unique index booking_referral_unique on booking (referral, shard) where referral is not null and state not in ('cancelled', 'noshow');

-- Quotas: a place that is kept for others is taken by nobody else before it returns to everybody, whoever writes the row. Places offered
-- by the hospital in place of a suspended clinic are of any quota; they come as `offered`.
alter table clinic_session add constraint clinic_session_channels check (length(channels) <= capacity);
create function booking_channel_kept() returns trigger language plpgsql as $$
begin
  if exists (
    select from made b
    join clinic_session s on s.id = b.session_id and s.shard = b.shard
    cross join lateral (select substr(s.channels, b.no, 1) as letter) l
    cross join lateral (select case l.letter when 'g' then s.gp_return_at when 'f' then s.follow_up_return_at when 'w' then s.onsite_return_at end as back,
      coalesce(case l.letter when 'g' then s.gp_release_at when 'w' then s.onsite_release_at end, s.release_at) as own) t
    where b.state in ('held', 'booked') and (b.channel <> 'public' or l.letter in ('g', 'f', 'w'))
      and not coalesce(greatest(s.release_at, t.back) <= b.created_at and t.back is not null, false)
      and not (t.own <= b.created_at and b.channel = case l.letter when 'g' then 'gp' when 'f' then 'follow-up' when 'w' then 'onsite' else '' end)
  ) then
    raise exception 'The place is kept for another channel.' using errcode = '23514', constraint = 'booking_channel_kept';
  end if;
  return null;
end $$;
create trigger booking_channel_kept after insert on booking referencing new table as made for each statement execute function booking_channel_kept();
