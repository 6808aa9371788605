-- Visits that were missed or cancelled late, what was said about them, and who excused them. `booking_patient.barred_until` follows from
-- the rows that are not excused and is written with them (booking/absences.ts).
create table absence (
  shard          int         not null,                       -- shardOf(pid)
  booking        uuid        not null,                       -- booking.id
  appointment    text        not null,                       -- FHIR id of the Appointment
  pid            uuid        not null,
  patient        text        not null,                       -- FHIR id of the Patient
  organization   text        not null,
  department     text        not null,
  kind           text        not null check (kind in ('noshow', 'late-cancel')),
  day            date        not null,                       -- of the visit, Asia/Shanghai
  recorded_at    timestamptz not null,
  excused        boolean     not null default false,
  appealed_at    timestamptz,                                -- null: the patient has not objected
  appeal_text    text,
  decided_at     timestamptz,                                -- null: nobody has decided
  decided_by     text,                                       -- name of the officer of the hospital
  decision_text  text,
  constraint absence_pkey primary key (booking, shard),
  constraint absence_appeal check ((appealed_at is null) = (appeal_text is null)),
  constraint absence_decision check ((decided_at is null) = (decided_by is null) and (not excused or decided_at is not null))
);
create index absence_patient on absence (pid, day);
create index absence_appeal_open on absence (organization, appealed_at) where appealed_at is not null and decided_at is null;

-- What the sweep for missed visits looks at.
create index booking_booked_end on booking (end_at) where state = 'booked';
