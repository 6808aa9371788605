-- Booking. A doctor's weekly pattern becomes sessions; a session has places, numbered from 1, and a place has no row until
-- somebody takes it. The counter `used` is the truth about what is left; the unique indexes below are what a race can
-- never break. Everything of one hospital lies in the shard of its Organization, so taking a place is one shard's work.
-- Ids of resources are text, because other systems may have chosen them; `pid` and `booking.id` are keys (keyOf).

-- One row a hospital or community centre that offers clinics: what a list of hospitals shows, copied from its Organization.
create table clinic_provider (
  shard         int  not null,                     -- shardOf(keyOf(organization))
  organization  text not null,                     -- FHIR id of the Organization
  name_zh       text not null,
  name_en       text not null,
  level_code    text not null,                     -- CodeSystem hospital-level: 02, 05, 08, 11
  level_zh      text not null,
  level_en      text not null,
  district_code text not null,                     -- GB/T 2260
  district_zh   text not null,
  district_en   text not null,
  address_zh    text not null,
  address_en    text not null,
  constraint clinic_provider_pkey primary key (organization, shard)
);

-- The weekly pattern: one row a doctor, weekday and half-day.
create table session_template (
  shard                int      not null,          -- of the organization
  id                   uuid     not null,
  organization         text     not null,
  department           text     not null,          -- national department catalogue, such as 03.04
  healthcare_service   text     not null,
  practitioner_role    text     not null,
  practitioner         text     not null,
  practitioner_name_zh text     not null,
  practitioner_name_en text     not null,
  location             text     not null,
  location_name_zh     text     not null,
  location_name_en     text     not null,
  weekday              smallint not null check (weekday between 1 and 7),  -- 1 Monday
  half                 text     not null check (half in ('am', 'pm', 'night')),
  start_time           time     not null,          -- Asia/Shanghai
  end_time             time     not null,
  clinic_type          text     not null check (clinic_type in ('ordinary', 'expert', 'disease-specific', 'special-need')),
  title                text     not null check (title in ('chief', 'associate-chief', 'attending', 'resident')),
  fee_fen              bigint   not null check (fee_fen >= 0),
  capacity             smallint not null check (capacity between 1 and 500),
  segment_minutes      smallint not null check (segment_minutes between 5 and 240),
  valid_from           date     not null,
  valid_until          date,                       -- last day; null: open end
  constraint session_template_pkey primary key (id, shard),
  constraint session_template_times check (end_time > start_time)
);

-- A doctor's half-day: the Schedule of FHIR. Place n lies in segment floor((n - 1) * segments / capacity).
create table clinic_session (
  shard                int         not null,       -- of the organization
  id                   uuid        not null,       -- id of the Schedule; made of the day, the shard and md5(template, day)
  template_id          uuid        not null,
  organization         text        not null,
  department           text        not null,
  healthcare_service   text        not null,
  practitioner_role    text        not null,
  practitioner         text        not null,
  practitioner_name_zh text        not null,
  practitioner_name_en text        not null,
  location             text        not null,
  location_name_zh     text        not null,
  location_name_en     text        not null,
  service_date         date        not null,       -- Asia/Shanghai
  half                 text        not null,
  start_at             timestamptz not null,
  end_at               timestamptz not null,
  capacity             smallint    not null,
  used                 smallint    not null default 0,
  segment_minutes      smallint    not null,
  segments             smallint    not null,       -- how many segments the half-day has
  status               text        not null default 'open' check (status in ('open', 'suspended', 'closed')),
  release_at           timestamptz not null,       -- from then on citizens may book
  fee_fen              bigint      not null,
  clinic_type          text        not null,
  title                text        not null,
  updated_at           timestamptz not null,
  constraint clinic_session_pkey primary key (id, shard),
  constraint clinic_session_used check (used between 0 and capacity)
) with (fillfactor = 70);
create index clinic_session_department on clinic_session (department, start_at, id);
create index clinic_session_practitioner on clinic_session (practitioner, start_at, id);
create index clinic_session_organization on clinic_session (organization, start_at, id);
create index clinic_session_start on clinic_session (start_at, id);

-- A place somebody took. `cancelled` frees it; every other state keeps it.
create table booking (
  shard         int         not null,              -- of the organization
  id            uuid        not null,              -- keyOf(Appointment id)
  appointment   text        not null,              -- FHIR id of the Appointment
  session_id    uuid        not null,
  no            smallint    not null check (no > 0),
  pid           uuid        not null,
  patient       text        not null,              -- FHIR id of the Patient
  state         text        not null check (state in ('held', 'booked', 'checked-in', 'arrived', 'fulfilled', 'noshow', 'cancelled')),
  held_until    timestamptz,                       -- only while held
  start_at      timestamptz not null,              -- of the segment
  end_at        timestamptz not null,
  service_date  date        not null,
  organization  text        not null,
  department    text        not null,
  practitioner  text        not null,
  booked_by     text        not null,              -- principal that took the place
  cancel_reason text,                              -- CodeSystem cancel-reason; only when cancelled
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  constraint booking_pkey primary key (id, shard),
  constraint booking_held check ((state = 'held') = (held_until is not null)),
  constraint booking_reason check ((state = 'cancelled') = (cancel_reason is not null))
) with (fillfactor = 80);
create unique index booking_place_unique on booking (session_id, no, shard) where state <> 'cancelled';
create unique index booking_patient_session_unique on booking (session_id, pid, shard) where state <> 'cancelled';
create unique index booking_patient_department_day_unique on booking (pid, service_date, organization, department, shard) where state <> 'cancelled';
create index booking_held_until on booking (held_until) where state = 'held';

-- One row a patient who ever booked: the lock under which a patient's limits are counted, and a bar on online booking.
create table booking_patient (
  shard        int  not null,                      -- shardOf(pid)
  pid          uuid not null,
  barred_until timestamptz,                        -- null: not barred
  constraint booking_patient_pkey primary key (pid, shard)
);

-- Numbers a city, hospital, department or clinic set for themselves, dated; the narrowest scope wins. Defaults and bounds
-- stand in booking/parameters.ts.
create table booking_parameter (
  scope      text        not null check (scope in ('city', 'hospital', 'department', 'clinic')),
  scope_id   text        not null,                 -- region code; Organization id; Organization id/department; HealthcareService id
  name       text        not null,
  value      int         not null,
  from_at    timestamptz not null,
  until_at   timestamptz,                          -- null: open end
  set_by     text        not null,
  constraint booking_parameter_pkey primary key (scope, scope_id, name, from_at)
);
