-- A region's medical-insurance centre: who is insured, what of the benefit year is used up, which claims were decided, and
-- where the money went. Why this shape: docs/settlement.md. Money is integer fen.
-- Rules of the physical world are constraints: a balance is never negative, one scheme at a time, one answer a message,
-- and every fund entry is a pair of accounts, so that the ledger sums to zero whatever is written.

create extension if not exists btree_gist;

create table insured_person (
  psn_no              text   not null constraint insured_person_pkey primary key,
  region              text   not null check (region ~ '^[0-9]{6}$'),  -- GB/T 2260 of the insured place
  resident_id         text   not null,
  name                text   not null,
  sex                 text   not null check (sex in ('male', 'female', 'unknown')),
  birth_date          date   not null,
  retired_on          date,                                           -- null: not retired
  aid                 boolean not null default false,                 -- entitled to medical aid (low income)
  account_current_fen bigint not null default 0 constraint account_current_not_negative check (account_current_fen >= 0),
  account_prior_fen   bigint not null default 0 constraint account_prior_not_negative check (account_prior_fen >= 0)
);
create index insured_person_resident_id on insured_person (resident_id);

-- One basic scheme at a time.
create table enrolment (
  psn_no      text     not null references insured_person,
  scheme      smallint not null check (scheme in (310, 390)),
  person_type smallint not null,                                      -- 11 active, 12 retired, 14xx residents
  from_date   date     not null,
  until_date  date,                                                   -- last day; null: open
  constraint enrolment_pkey primary key (psn_no, from_date),
  constraint enrolment_period check (until_date is null or until_date >= from_date),
  constraint enrolment_one_scheme exclude using gist (psn_no with =, daterange(from_date, until_date, '[]') with &&)
);

-- What of a benefit year is used up. Only grows by claims and shrinks by their reversal.
create table accumulator (
  psn_no                    text     not null references insured_person,
  scheme                    smallint not null,
  year_from                 date     not null,                        -- first day of the benefit year
  deductible_outpatient_fen bigint   not null default 0 constraint accumulator_outpatient_not_negative check (deductible_outpatient_fen >= 0),
  deductible_inpatient_fen  bigint   not null default 0 constraint accumulator_inpatient_not_negative check (deductible_inpatient_fen >= 0),
  above_deductible_fen      bigint   not null default 0 constraint accumulator_above_not_negative check (above_deductible_fen >= 0),
  aid_fen                   bigint   not null default 0 constraint accumulator_aid_not_negative check (aid_fen >= 0),
  constraint accumulator_pkey primary key (psn_no, scheme, year_from)
);

-- One row a message id, with the answer it was given. `void`: reversed before it arrived; a late arrival is refused.
create table claim (
  message_id          text        not null constraint claim_pkey primary key,
  client_id           text        not null,                           -- who sent it; nobody else reads or reverses it
  state               text        not null check (state in ('settled', 'refused', 'reversed', 'void')),
  body_hash           text,                                           -- null in a void row
  psn_no              text,                                           -- null when the person is not ours
  scheme              smallint,
  year_from           date,
  service_date        date,
  policy              text,                                           -- null when refused
  content             text,                                           -- Claim, JSON
  response_id         text        constraint claim_response_id_unique unique,
  response            text,                                           -- ClaimResponse, JSON
  received_at         timestamptz not null,
  -- What the settlement used up, given back by its reversal.
  deductible_outpatient_fen bigint not null default 0 check (deductible_outpatient_fen >= 0),
  deductible_inpatient_fen  bigint not null default 0 check (deductible_inpatient_fen >= 0),
  above_deductible_fen      bigint not null default 0 check (above_deductible_fen >= 0),
  aid_fen                   bigint not null default 0 check (aid_fen >= 0),
  account_current_fen       bigint not null default 0 check (account_current_fen >= 0),
  account_prior_fen         bigint not null default 0 check (account_prior_fen >= 0),
  reversed_at         timestamptz,
  reversal_id         text        constraint claim_reversal_id_unique unique,
  reversal            text,                                           -- ClaimResponse of the reversal, JSON
  constraint claim_whole check (state = 'void' or (body_hash is not null and response is not null)),
  constraint claim_reversal_whole check ((reversed_at is null) = (state in ('settled', 'refused')))
);
create index claim_person on claim (psn_no, received_at desc);

-- Double entry, append-only: one row moves an amount from one account to another.
create table fund_entry (
  id             uuid        not null constraint fund_entry_pkey primary key,
  message_id     text        not null references claim,
  kind           text        not null check (kind in ('settle', 'reverse')),
  debit_account  text        not null,
  credit_account text        not null,
  provider       text        not null,                                -- institution code
  amount_fen     bigint      not null check (amount_fen > 0),
  recorded_at    timestamptz not null,
  constraint fund_entry_two_accounts check (debit_account <> credit_account),
  constraint fund_entry_once unique (message_id, kind, debit_account, credit_account)
);
create index fund_entry_day on fund_entry (recorded_at);
