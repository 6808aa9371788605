-- The ledger: a payout has no message but a clearing.
alter table fund_entry
  alter column message_id drop not null,
  add column clearing text,
  drop constraint fund_entry_kind_check,
  add constraint fund_entry_kind_check check (kind in ('settle', 'reverse', 'pay')),
  add constraint fund_entry_cause check ((kind = 'pay') = (clearing is not null) and (kind = 'pay') = (message_id is null));
create unique index fund_entry_pay_once on fund_entry (clearing, debit_account, credit_account) where kind = 'pay';

-- What a sender says it settled on a day, and how it differs from what stands here.
create table statement (
  id           text        not null constraint statement_pkey primary key,
  client_id    text        not null,
  provider     text        not null,                                  -- institution, or region for a centre's list
  day          date        not null,
  count        bigint      not null,
  total_fen    bigint      not null,
  fund_fen     bigint      not null,
  account_fen  bigint      not null,
  outcome      text        not null check (outcome in ('equal', 'differs')),
  received_at  timestamptz not null,
  constraint statement_once unique (client_id, provider, day)         -- sent again, it replaces the one before
);
create table statement_line (
  statement_id text     not null references statement on delete cascade,
  message_id   text     not null,
  kind         text     not null check (kind in ('settle', 'reverse')),
  total_fen    bigint   not null,
  fund_fen     bigint   not null,
  account_fen  bigint   not null,
  constraint statement_line_pkey primary key (statement_id, message_id, kind)
);
create table difference (
  statement_id text     not null references statement on delete cascade,
  message_id   text     not null,
  kind         text     not null,
  class        text     not null check (class in ('centre-only', 'sender-only', 'amount', 'state', 'day-shift')),
  here_fen     bigint   not null,                                     -- fund and account money here and there
  there_fen    bigint   not null,
  resolved_at  timestamptz,
  resolved_by  text,
  note         text,
  constraint difference_pkey primary key (statement_id, message_id, kind)
);

-- A month's money of an institution and scheme, or with another region. Days are reconciled before by statements; a month is
-- applied for, approved and paid, or refused when its sums are not ours.
create table clearing (
  id            text        not null constraint clearing_pkey primary key,
  client_id     text        not null,
  month         text        not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  -- `to-institution`; with a region: `owed` our hospitals treated their people, `owing` theirs treated ours.
  direction     text        not null check (direction in ('to-institution', 'owed', 'owing')),
  party         text        not null,                                 -- institution code, or region
  scheme        smallint    not null default 0,                       -- 0: all, of a region
  state         text        not null check (state in ('applied', 'approved', 'paid', 'refused')),
  count         bigint      not null,
  total_fen     bigint      not null,
  fund_fen      bigint      not null,
  account_fen   bigint      not null,
  deducted_fen  bigint      not null default 0 check (deducted_fen >= 0),
  reason        text,
  applied_at    timestamptz not null,
  approved_at   timestamptz,
  paid_at       timestamptz,
  constraint clearing_once unique (month, direction, party, scheme),
  constraint clearing_deduction_fits check (deducted_fen <= greatest(0, fund_fen + account_fen)),
  constraint clearing_deduction_reason check (deducted_fen = 0 or reason is not null)
);

-- A claim that was refused follows no policy: it moves no money and stands in no list.
update claim set policy = null where policy is not null and response::jsonb ->> 'outcome' <> 'complete';
