-- The audit trail for the long run: a partition a month, so that what is past its retention leaves by dropping a table and not by deleting
-- rows; append-only by rule, for whatever role the platform connects as; and a digest a day, each chained to the day before.
alter table audit_event rename to audit_event_before;
alter table audit_event_before rename constraint audit_event_pkey to audit_event_before_pkey;
drop index audit_event_patient;

create table audit_event (
  shard             int         not null,
  id                uuid        not null,
  recorded_at       timestamptz not null,
  pid               uuid,                          -- whose record; null when no patient is concerned
  action            char(1)     not null check (action in ('C', 'R', 'U', 'D', 'E')),
  interaction       text        not null,          -- FHIR restful interaction or operation name
  resource_type     text,
  resource_id       text,
  detail            text,                          -- types and counts; never values of a record
  outcome           smallint    not null,          -- HTTP status
  principal_kind    text        not null,
  principal_id      text        not null,
  principal_name    text        not null,
  role              text,
  practitioner      text,
  organization      text,
  organization_name text,
  purpose           text        not null,          -- v3 PurposeOfUse: TREAT, ETREAT, PATRQT, HPAYMT, HOPERAT, PUBHLTH, SYSADMIN
  basis             text        not null,          -- why it was allowed: a reason of care_relation or a rule of access/rules.ts; or refused
  request_id        text        not null,
  constraint audit_event_pkey primary key (id, recorded_at, shard)
) partition by range (recorded_at);
create index audit_event_patient on audit_event (pid, recorded_at desc, id) where pid is not null;
create index audit_event_principal on audit_event (principal_id, recorded_at desc);
create index audit_event_time on audit_event (recorded_at desc, id);

create function audit_is_append_only() returns void language plpgsql as $$
begin
  raise exception 'The audit trail is append-only.' using errcode = 'insufficient_privilege';
end $$;
create rule audit_event_no_update as on update to audit_event do instead select audit_is_append_only();
create rule audit_event_no_delete as on delete to audit_event do instead select audit_is_append_only();

-- What comes with a clock outside the months that are there.
create table audit_event_other partition of audit_event default;
create rule audit_event_no_update as on update to audit_event_other do instead select audit_is_append_only();
create rule audit_event_no_delete as on delete to audit_event_other do instead select audit_is_append_only();

-- Makes the partitions of some months, with their rules; a month that is there, or of which the default holds rows already, stays as it is.
create function make_audit_months(first date, months int) returns int language plpgsql as $$
declare
  month date;
  part text;
  made int := 0;
begin
  for month in select (date_trunc('month', first) + make_interval(months => n))::date from generate_series(0, months - 1) n loop
    part := 'audit_event_' || to_char(month, 'YYYY_MM');
    if to_regclass(part) is not null or exists (select from audit_event_other where recorded_at >= month and recorded_at < month + interval '1 month') then
      continue;
    end if;
    execute format('create table %I partition of audit_event for values from (%L) to (%L)', part, month, month + interval '1 month');
    execute format('create rule audit_event_no_update as on update to %I do instead select audit_is_append_only()', part);
    execute format('create rule audit_event_no_delete as on delete to %I do instead select audit_is_append_only()', part);
    made := made + 1;
  end loop;
  return made;
end $$;
select make_audit_months((date_trunc('month', now()) - interval '1 month')::date, 5);

insert into audit_event select shard, id, recorded_at, pid, action, interaction, resource_type, resource_id, detail, outcome, principal_kind, principal_id, principal_name,
  role, practitioner, organization, organization_name, purpose, basis, request_id from audit_event_before;
drop table audit_event_before;

-- One row a day that is over: how many rows it has, and a digest over all of them and the digest of the day before.
create table audit_day (
  day       date        not null constraint audit_day_pkey primary key,   -- Asia/Shanghai
  rows      bigint      not null,
  digest    text        not null,                  -- SHA-256, hexadecimal
  sealed_at timestamptz not null
);
create rule audit_day_no_update as on update to audit_day do instead select audit_is_append_only();
create rule audit_day_no_delete as on delete to audit_day do instead select audit_is_append_only();
