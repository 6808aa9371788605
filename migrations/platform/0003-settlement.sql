-- Our side of the money: the bill of a visit, the attempts to settle it, and the ledger. Why this shape: docs/settlement.md.
-- All rows of a patient share the patient's shard. A ledger row moves an amount from one account to another, so the ledger
-- sums to zero by construction: a trigger that sums rows is not possible on distributed tables.

-- One a visit (Encounter), made by its first charge.
create table bill (
  shard                    int         not null,   -- shard of pid
  encounter                uuid        not null,   -- keyOf(Encounter id)
  encounter_id             text        not null,   -- FHIR ids from here on
  pid                      uuid        not null,   -- keyOf(Patient id)
  patient_id               text        not null,
  organization_id          text        not null,
  organization_zh          text        not null,
  organization_en          text        not null,
  department_zh            text        not null,
  department_en            text        not null,
  practitioner_id          text,                   -- who treated; null when the visit names nobody
  service_date             date        not null,   -- Asia/Shanghai
  state                    text        not null default 'open' check (state in ('open', 'settling', 'settled', 'reversed', 'refused')),
  total_fen                bigint      not null default 0 constraint bill_total_not_negative check (total_fen >= 0),
  fund_fen                 bigint,                 -- these are null until settled
  account_current_fen      bigint,
  account_prior_fen        bigint,
  cash_fen                 bigint,
  message_zh               text,                   -- why refused, pending or self-pay; null when all is well
  message_en               text,
  claim_id                 text,
  claim_response_id        text,
  explanation_id           text,
  invoice_id               text,
  updated_at               timestamptz not null,
  constraint bill_pkey primary key (encounter, shard),
  constraint bill_adds_up check (state <> 'settled' or total_fen = fund_fen + account_current_fen + account_prior_fen + cash_fen)
);
create index bill_patient on bill (pid, service_date desc, encounter);

-- Lines of a bill, one a ChargeItem that counts.
create table bill_line (
  shard             int         not null,
  charge_item       uuid        not null,          -- keyOf(ChargeItem id)
  charge_item_id    text        not null,
  encounter         uuid        not null,
  code              text        not null,
  name_zh           text        not null,
  name_en           text        not null,
  quantity          int         not null check (quantity > 0),
  unit_price_fen    bigint      not null check (unit_price_fen >= 0),
  catalogue_class   text        not null check (catalogue_class in ('A', 'B', 'C')),
  first_pay_ratio   int         not null check (first_pay_ratio between 0 and 10000),  -- parts of 10 000
  limit_fen         bigint      check (limit_fen >= 0),                                -- of one unit; null: none
  entered_at        timestamptz not null,
  constraint bill_line_pkey primary key (charge_item, shard)
);
create index bill_line_encounter on bill_line (encounter, entered_at, charge_item);

-- Committed before anything is sent. An attempt that is prepared, sent or unknown blocks the bill.
create table settlement_attempt (
  shard         int         not null,
  id            uuid        not null,
  encounter     uuid        not null,
  kind          text        not null check (kind in ('settle', 'reverse')),
  message_id    text        not null,              -- of this settlement; a reversal carries the one it undoes
  claim_id      text        not null,              -- Claim on the platform, given in advance
  request_hash  text        not null,
  request       text        not null,              -- the Claim as sent, JSON
  state         text        not null check (state in ('prepared', 'sent', 'confirmed', 'rejected', 'unknown', 'resolved')),
  resolution    text        check (resolution in ('adopted', 'reversed')),
  reason        text,                              -- why rejected or unknown
  answer        text,                              -- ClaimResponse as received, JSON
  asked         int         not null default 0,    -- times the centre said that it knows nothing
  created_at    timestamptz not null,
  sent_at       timestamptz,
  ask_at        timestamptz,                       -- when to ask the centre next
  decided_at    timestamptz,
  principal_id  text        not null,
  constraint settlement_attempt_pkey primary key (id, shard),
  constraint settlement_attempt_resolution check ((state = 'resolved') = (resolution is not null))
);
create unique index settlement_attempt_active on settlement_attempt (encounter, shard) where state in ('prepared', 'sent', 'unknown');
create unique index settlement_attempt_message on settlement_attempt (message_id, kind, shard) where state <> 'rejected';
create index settlement_attempt_due on settlement_attempt (created_at) where state in ('prepared', 'sent', 'unknown');
create index settlement_attempt_encounter on settlement_attempt (encounter, created_at desc);

-- Append-only. Accounts: pool, supplementary, critical, aid, account-current, account-prior, cash (what each owes us) and
-- provider (what the institution earned). A reversal posts the same pairs the other way round.
create table ledger_entry (
  shard          int         not null,
  id             uuid        not null,
  encounter      uuid        not null,
  attempt        uuid        not null,
  message_id     text        not null,
  organization_id text       not null,
  debit_account  text        not null,
  credit_account text        not null,
  amount_fen     bigint      not null check (amount_fen > 0),
  recorded_at    timestamptz not null,
  constraint ledger_entry_pkey primary key (id, shard),
  constraint ledger_entry_two_accounts check (debit_account <> credit_account),
  constraint ledger_entry_once unique (attempt, debit_account, credit_account, shard)
);
create index ledger_entry_encounter on ledger_entry (encounter);
create index ledger_entry_message on ledger_entry (message_id);
