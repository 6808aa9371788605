-- Coverage with waiting times and transitions, filings, the catalogue, what a claim needs to be reconciled and cleared; the
-- ledger is append-only for everybody. Why this shape: docs/settlement.md.

alter table insured_person
  add column working_since date,                                      -- first day of work; null: not known
  add column gp_contract   boolean not null default false;

-- Two enrolments may overlap only during a transition, and then the outgoing one has rank 2 and an end.
alter table enrolment
  add column rank          smallint not null default 1 constraint enrolment_rank check (rank in (1, 2)),
  add column benefits_from date,                                      -- after the waiting time; null: from the first day
  add column ended_because text constraint enrolment_ended_because check (ended_because in ('interrupted', 'transferred', 'retired', 'ended')),
  add constraint enrolment_outgoing_ends check (rank = 1 or until_date is not null),
  add constraint enrolment_ended_whole check (ended_because is null or until_date is not null),
  drop constraint enrolment_one_scheme,
  drop constraint enrolment_pkey,
  add constraint enrolment_pkey primary key (psn_no, from_date, rank),
  add constraint enrolment_one_scheme exclude using gist (psn_no with =, rank with =, daterange(from_date, until_date, '[]') with &&);

alter table accumulator
  add column outpatient_above_fen bigint not null default 0 constraint accumulator_outpatient_above_not_negative check (outpatient_above_fen >= 0),
  add column above_cap_fen        bigint not null default 0 constraint accumulator_above_cap_not_negative check (above_cap_fen >= 0),
  add column self_fen             bigint not null default 0 constraint accumulator_self_not_negative check (self_fen >= 0);

-- A filing with the insured place: treatment elsewhere (2501, 备案), or a disease of the outpatient list (2503).
create table filing (
  id           text        not null constraint filing_pkey primary key,
  psn_no       text        not null references insured_person,
  kind         text        not null check (kind in ('long-term', 'referred', 'emergency', 'temporary', 'disease')),
  region       text        check (region ~ '^[0-9]{6}$'),             -- where the treatment is; null for a disease
  disease      text,                                                  -- ICD-10; null for a region
  from_date    date        not null,
  until_date   date,                                                  -- last day; null: until withdrawn
  withdrawn_on date,
  client_id    text        not null,
  filed_at     timestamptz not null,
  constraint filing_period check (until_date is null or until_date >= from_date),
  constraint filing_what check ((kind = 'disease') = (disease is not null) and (kind = 'disease') = (region is null)),
  -- Of one place, or of one disease, a person has one filing at a time. A withdrawn one counts to the day before.
  constraint filing_once exclude using gist (
    psn_no with =, (coalesce(region, disease)) with =,
    daterange(from_date, least(until_date, withdrawn_on), case when withdrawn_on is null or withdrawn_on > until_date then '[]' else '[)' end) with &&
  ) where (withdrawn_on is null or withdrawn_on > from_date)
);
create index filing_person on filing (psn_no);

-- The catalogue of this region: how insurance sees an item on a day. A region without rows takes the terms as a claim says them.
create table catalogue_item (
  code            text     not null,
  from_date       date     not null,
  until_date      date,
  name            text     not null,
  catalogue_class text     not null check (catalogue_class in ('A', 'B', 'C')),
  first_pay_parts integer  not null check (first_pay_parts between 0 and 10000),
  limit_fen       bigint   check (limit_fen >= 0),
  constraint catalogue_item_pkey primary key (code, from_date),
  constraint catalogue_item_once exclude using gist (code with =, daterange(from_date, until_date, '[]') with &&)
);

alter table claim
  add column provider             text,
  add column insured_region       text,
  add column treating_region      text,
  add column medical_type         text,
  add column stay                 text,                               -- of an inpatient claim: which stay it belongs to
  add column settled_day          date,                               -- the day in the city on which it was decided
  add column reversed_day         date,
  add column total_fen            bigint not null default 0 check (total_fen >= 0),
  add column fund_fen             bigint not null default 0 check (fund_fen >= 0),
  add column cash_fen             bigint not null default 0 check (cash_fen >= 0),
  add column outpatient_above_fen bigint not null default 0 check (outpatient_above_fen >= 0),
  add column above_cap_fen        bigint not null default 0 check (above_cap_fen >= 0),
  add column self_fen             bigint not null default 0 check (self_fen >= 0);
-- Claims of before: the same facts, out of what was sent and answered.
update claim set
  provider = content::jsonb #>> '{provider,identifier,value}',
  insured_region = right(content::jsonb #>> '{insurance,0,coverage,identifier,system}', 6),
  treating_region = (select min(region) from insured_person),
  medical_type = content::jsonb #>> '{type,coding,0,code}',
  settled_day = (received_at at time zone 'Asia/Shanghai')::date,
  reversed_day = (reversed_at at time zone 'Asia/Shanghai')::date,
  outpatient_above_fen = above_deductible_fen,
  (total_fen, fund_fen, cash_fen) = (
    select coalesce(sum(fen) filter (where code = 'submitted'), 0),
      coalesce(sum(fen) filter (where code in ('pool', 'supplementary', 'critical', 'aid', 'civilservant', 'enterprise', 'other')), 0),
      coalesce(sum(fen) filter (where code = 'cash'), 0)
    from (
      select t #>> '{category,coding,0,code}' as code, round((t #>> '{amount,value}')::numeric * 100)::bigint as fen
      from jsonb_array_elements(response::jsonb -> 'total') as t
    ) as total
  )
where content is not null;
update accumulator set outpatient_above_fen = above_deductible_fen;
alter table claim
  -- What the message says and what was decided are one sum: the bill is paid by funds, accounts and cash.
  add constraint claim_adds_up check (state in ('refused', 'void') or total_fen = fund_fen + account_current_fen + account_prior_fen + cash_fen);
create index claim_settled_day on claim (settled_day, provider) where settled_day is not null;
create index claim_reversed_day on claim (reversed_day, provider) where reversed_day is not null;
create index claim_stay on claim (psn_no, stay) where stay is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The ledger is append-only: % is not allowed.', tg_op using errcode = 'restrict_violation';
end $$;
create trigger fund_entry_append_only before update or delete on fund_entry for each row execute function refuse_change();
create trigger fund_entry_no_truncate before truncate on fund_entry for each statement execute function refuse_change();
