-- Comparing our books with the centre's, day by day, and closing months on it. Rows of an institution, not of a patient.

-- The last comparison of a day; repeating it overwrites the result.
create table reconciliation_day (
  institution        text        not null,        -- 12 characters
  organization_id    text        not null,
  day                date        not null,
  scheme             text        not null default '',   -- '' : all schemes together
  state              text        not null check (state in ('equal', 'differs', 'failed')),
  reason             text,                        -- why it failed
  our_count          bigint      not null,
  our_total_fen      bigint      not null,
  our_fund_fen       bigint      not null,
  our_account_fen    bigint      not null,
  their_count        bigint      not null,
  their_total_fen    bigint      not null,
  their_fund_fen     bigint      not null,
  their_account_fen  bigint      not null,
  resource_id        text        not null,        -- PaymentReconciliation
  compared_at        timestamptz not null,
  constraint reconciliation_day_pkey primary key (institution, day, scheme)
);

-- What differs, until somebody has put it right or signed for it.
create table difference (
  id               uuid        not null constraint difference_pkey primary key,
  institution      text        not null,
  organization_id  text        not null,
  day              date        not null,
  message_id       text        not null,          -- '' of a till
  kind             text        not null,          -- settle, reverse, till
  class            text        not null check (class in ('centre-only', 'ours-only', 'amount', 'state', 'day-shift', 'undecided', 'till-short', 'till-over')),
  at_risk_fen      bigint      not null check (at_risk_fen >= 0),
  ours             text,                          -- JSON of our side; null when there is none
  theirs           text,
  entries          text        not null,          -- JSON: the proposed correcting entries
  state            text        not null check (state in ('open', 'closed', 'signed-off')),
  owner_id         text,                          -- who took it; null: the office
  owner_name       text,
  task_id          text        not null,
  opened_at        timestamptz not null,
  closed_at        timestamptz,
  closed_by        text,
  reason           text,                          -- why it is closed
  constraint difference_once unique (institution, day, message_id, kind, class),
  constraint difference_closed check ((state = 'open') = (closed_at is null)),
  constraint difference_signed check (state <> 'signed-off' or (closed_by is not null and reason is not null))
);
create index difference_open on difference (institution, day) where state = 'open';
create index difference_message on difference (message_id) where state = 'open';

-- Money counted at the end of a day, beside what the books say.
create table desk_day (
  organization_id text        not null,
  day             date        not null,
  counted         text        not null,           -- JSON: fen by channel
  expected        text        not null,
  closed_at       timestamptz not null,
  closed_by       text        not null,
  constraint desk_day_pkey primary key (organization_id, day)
);

-- A month of an institution and scheme: reconciled → applied → approved → paid, or refused by the centre. A month that stands here is closed.
create table clearing_month (
  institution     text        not null,
  organization_id text        not null,
  month           date        not null check (extract(day from month) = 1),
  scheme          text        not null,
  state           text        not null check (state in ('reconciled', 'applied', 'approved', 'paid', 'refused')),
  count           bigint      not null,
  total_fen       bigint      not null,
  fund_fen        bigint      not null,
  account_fen     bigint      not null,
  number          text,                           -- of the centre
  approved_fen    bigint,
  disposition     text,
  closed_at       timestamptz not null,
  closed_by       text        not null,
  changed_at      timestamptz not null,
  constraint clearing_month_pkey primary key (institution, month, scheme),
  constraint clearing_month_number check ((state in ('reconciled', 'refused')) or number is not null)
);

-- A month closes only when nothing is open: guaranteed here, whatever the code does.
create function refuse_open_differences() returns trigger language plpgsql as $$
begin
  if exists (select 1 from difference d where d.institution = new.institution and d.state = 'open' and d.day >= new.month and d.day < new.month + interval '1 month') then
    raise exception 'month % of % has open differences', new.month, new.institution using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger clearing_month_nothing_open before insert on clearing_month for each row execute function refuse_open_differences();
