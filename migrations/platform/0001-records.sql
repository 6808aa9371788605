-- The FHIR record store. Why this shape: docs/decisions/0002-storage.md.
-- One logical table, list-partitioned by type; current versions only. A superseded version moves to resource_history in
-- the statement that replaces it. Every table carries `shard` in its key, so that spreading it over machines is one
-- command and not a rewrite. No triggers, no foreign keys across compartments.

create table resource (
  shard        int         not null,
  t            smallint    not null,               -- type code of catalogue/resource-types.ts, never reused
  id           uuid        not null,               -- keyOf(FHIR id)
  version      int         not null check (version > 0),
  last_updated timestamptz not null,
  pid          uuid,                               -- key of the Patient whose compartment this is in; null outside any
  d0           timestamptz,                        -- the clinical date or period of the type: earliest and latest instant
  d1           timestamptz,
  keys         bigint[]    not null,               -- hashes of tokens, references, uris, further compartments
  enc          smallint    not null default 0,     -- 0: content is text; n: content_z, dictionary n
  content      text,                               -- JSON without meta.versionId and meta.lastUpdated
  content_z    bytea,
  constraint resource_pkey primary key (id, t, shard)
) partition by list (t);

create table resource_history (
  shard        int         not null,
  t            smallint    not null,
  id           uuid        not null,
  version      int         not null,
  last_updated timestamptz not null,
  deleted      boolean     not null default false, -- a tombstone: content is null
  pid          uuid,
  method       char(1)     not null default 'U' check (method in ('C', 'U', 'D')),
  enc          smallint    not null default 0,
  content      text,
  content_z    bytea,
  constraint resource_history_pkey primary key (id, version, t, shard)
);

-- An id that a client chose: where it lives, and that it exists once.
create table id_alias (
  shard int      not null,                         -- shardOf(keyOf(id)): where the id is looked up
  t     smallint not null,
  id    uuid     not null,
  home  int      not null,                         -- shard of the resource row
  constraint id_alias_pkey primary key (id, t, shard)
);

-- Normalised strings: names, addresses, their pinyin and initials. k = hash of Type.parameter.
create table idx_string (
  shard int    not null,
  k     bigint not null,
  val   text   not null,
  rid   uuid   not null
);
create index idx_string_value on idx_string (k, val text_pattern_ops, rid);
create index idx_string_rid on idx_string (rid);

-- Quantities, numbers and dates that are not the type's own. lo and hi bound the value's precision; dates in seconds.
create table idx_value (
  shard int              not null,
  k     bigint           not null,
  lo    double precision not null,
  hi    double precision not null,
  rid   uuid             not null
);
create index idx_value_low on idx_value (k, lo, rid);
create index idx_value_rid on idx_value (rid);

-- Partitions: hot types on their own, fillfactor 80 where rows change. The rest shares the default.
do $$
declare
  hot record;
begin
  for hot in select * from (values
    ('patient', 'Patient', 90), ('practitioner', 'Practitioner', 100), ('practitioner_role', 'PractitionerRole', 100),
    ('organization', 'Organization', 100), ('encounter', 'Encounter', 80), ('condition', 'Condition', 90),
    ('observation', 'Observation', 100), ('diagnostic_report', 'DiagnosticReport', 100),
    ('medication_request', 'MedicationRequest', 80), ('procedure', 'Procedure', 100),
    ('immunization', 'Immunization', 100), ('service_request', 'ServiceRequest', 80),
    ('appointment', 'Appointment', 80), ('schedule', 'Schedule', 90), ('coverage', 'Coverage', 100),
    ('claim', 'Claim', 90), ('claim_response', 'ClaimResponse', 100), ('explanation_of_benefit', 'ExplanationOfBenefit', 100),
    ('charge_item', 'ChargeItem', 80)
  ) as list (part, type_name, fill)
  loop
    execute format('create table resource_%s partition of resource for values in (%s) with (fillfactor = %s, autovacuum_vacuum_insert_scale_factor = 0.02)',
      hot.part, type_code(hot.type_name), hot.fill);
  end loop;
end $$;
create table resource_other partition of resource default with (fillfactor = 90, autovacuum_vacuum_insert_scale_factor = 0.02);

create index resource_patient_date on resource (pid, t, d0 desc, id) where pid is not null;
create index resource_date on resource (t, d0 desc, id);
create index resource_keys on resource using gin (keys) with (fastupdate = on, gin_pending_list_limit = 4096);
-- BRIN keeps updates HOT from PostgreSQL 16 on; on 15 it would end them.
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    create index resource_updated on resource using brin (last_updated);
  end if;
end $$;
create index resource_encounter_period on resource_encounter using gist (tstzrange(d0, d1, '[]'));

-- Every disclosure, write and denial: one row per patient concerned. Insert-only.
create table audit_event (
  shard             int         not null,
  id                uuid        not null,
  recorded_at       timestamptz not null,
  pid               uuid,                          -- whose record; null when no patient is concerned
  action            char(1)     not null check (action in ('C', 'R', 'U', 'D', 'E')),
  interaction       text        not null,          -- FHIR restful interaction or operation name
  resource_type     text,
  resource_id       text,
  detail            text,                          -- types and counts of a search; never values of a record
  outcome           smallint    not null,          -- HTTP status
  principal_kind    text        not null,
  principal_id      text        not null,
  principal_name    text        not null,
  role              text,
  practitioner      text,
  organization      text,
  organization_name text,
  purpose           text        not null,          -- v3 PurposeOfUse: TREAT, PATRQT, HPAYMT, HOPERAT, PUBHLTH, SYSADMIN
  basis             text        not null,          -- name of the access rule that allowed or refused it
  request_id        text        not null,
  constraint audit_event_pkey primary key (id, shard)
);
create index audit_event_patient on audit_event (pid, recorded_at desc, id) where pid is not null;

-- Who may sign in. A person can have several roles; one is chosen at sign-in.
create table account (
  id            uuid        not null constraint account_pkey primary key,
  login         text        not null constraint account_login_unique unique,
  password_hash text        not null,              -- argon2id, PHC string
  display_name  text        not null,
  demo          boolean     not null default false,
  created_at    timestamptz not null
);
create table account_role (
  account_id        uuid not null references account,
  role              text not null,
  patient           text,
  practitioner      text,
  organization      text,
  organization_name text,
  constraint account_role_unique unique nulls not distinct (account_id, role, organization)
);

-- A citizen who may act for another: a child, a parent who agreed.
create table proxy_grant (
  shard        int         not null,               -- shard of pid
  pid          uuid        not null,               -- whose record
  grantee_pid  uuid        not null,               -- who may act
  relationship text        not null,               -- v3 RoleCode, as in RelatedPerson.relationship
  patient      text        not null,               -- FHIR id of that patient
  patient_name text        not null,
  from_at      timestamptz not null,
  until_at     timestamptz,                        -- null: open end
  constraint proxy_grant_unique unique (pid, grantee_pid, shard)
);
create index proxy_grant_grantee on proxy_grant (grantee_pid);

-- Who treats whom, and for how long the record is open to them because of it. Written in the transaction that creates
-- the reason (a booking, a visit, a GP contract).
create table care_relation (
  shard        int         not null,               -- shard of pid
  pid          uuid        not null,
  practitioner uuid        not null,
  organization uuid        not null,
  reason       text        not null check (reason in ('appointment', 'encounter', 'gp-contract')),
  reason_id    uuid        not null,
  from_at      timestamptz not null,
  until_at     timestamptz not null,
  constraint care_relation_unique unique (pid, practitioner, reason, reason_id, shard)
);
create index care_relation_practitioner on care_relation (practitioner, pid);

-- Systems that may ask for tokens (SMART Backend Services): their public keys and scopes.
create table client (
  id           text  not null constraint client_pkey primary key,
  display_name text  not null,
  jwks         jsonb not null,
  scopes       text  not null,
  organization text
);
-- Keys we sign tokens with. The newest active one signs; all are published.
create table signing_key (
  kid        text        not null constraint signing_key_pkey primary key,
  alg        text        not null,
  private_jwk jsonb      not null,
  public_jwk jsonb       not null,
  created_at timestamptz not null
);
-- Client assertions already used (RFC 7523): a replay violates the key.
create table used_assertion (
  client_id  text        not null,
  jti        text        not null,
  expires_at timestamptz not null,
  constraint used_assertion_pkey primary key (client_id, jti)
);

-- Answers of operations that carried an Idempotency-Key: a retry with the same key and body gets the same answer.
create table idempotency (
  shard        int         not null,
  principal_id text        not null,
  key          text        not null,
  body_hash    text        not null,
  status       smallint    not null,
  response     text        not null,
  created_at   timestamptz not null,
  constraint idempotency_pkey primary key (principal_id, key, shard)
);

-- Files already loaded, by hash of their bytes: loading one again adds nothing.
create table loaded_file (
  sha256    text        not null constraint loaded_file_pkey primary key,
  name      text        not null,
  resources int         not null,
  loaded_at timestamptz not null
);

-- Facts about this database, such as which demo city it holds.
create table platform_fact (
  name  text  not null constraint platform_fact_pkey primary key,
  value jsonb not null
);
