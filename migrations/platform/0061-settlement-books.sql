-- The books of settlement: what the centre decided (compared with its list of the day), what was paid at the desk, and the
-- guard that makes both and the ledger append-only in the database itself. A wrong entry is put right by another entry.

-- One a settlement and one a reversal, written in the transaction that adopts the answer.
create table settlement_event (
  shard           int         not null,
  attempt         uuid        not null,          -- settlement_attempt.id
  kind            text        not null check (kind in ('settle', 'reverse')),
  message_id      text        not null,
  settlement_id   text        not null,          -- the centre's number of its answer
  encounter       uuid        not null,
  organization_id text        not null,
  institution     text        not null,          -- 12 characters
  region          text        not null,          -- where the person is insured
  scheme          text        not null,
  medical_type    text        not null,
  day             date        not null,          -- Asia/Shanghai, when we booked it
  decided_at      timestamptz not null,          -- the centre's clock
  recorded_at     timestamptz not null,
  total_fen       bigint      not null,          -- negative of a reversal, as all amounts here
  fund_fen        bigint      not null,
  account_fen     bigint      not null,
  cash_fen        bigint      not null,
  constraint settlement_event_pkey primary key (attempt, shard),
  constraint settlement_event_adds_up check (total_fen = fund_fen + account_fen + cash_fen),
  constraint settlement_event_sign check (case kind when 'settle' then total_fen >= 0 else total_fen <= 0 end)
);
create unique index settlement_event_message on settlement_event (message_id, kind, shard);
create index settlement_event_day on settlement_event (institution, day, message_id);

-- Money taken and given back at the desk. `payment` and `refund` are of a bill, `deposit` and `deposit-refund` of a stay;
-- channel `deposit` pays a bill from the deposit.
create table payment (
  shard           int         not null,
  id              uuid        not null,
  encounter       uuid        not null,
  organization_id text        not null,
  kind            text        not null check (kind in ('payment', 'refund', 'deposit', 'deposit-refund')),
  channel         text        not null check (channel in ('cash', 'card', 'mobile', 'deposit')),
  amount_fen      bigint      not null check (amount_fen > 0),
  reference       text,                          -- number of the card or mobile channel; null for cash
  invoice_id      text,                          -- null of a deposit
  notice_id       text        not null,          -- PaymentNotice
  day             date        not null,          -- Asia/Shanghai
  recorded_at     timestamptz not null,
  principal_id    text        not null,
  principal_name  text        not null,
  constraint payment_pkey primary key (id, shard),
  constraint payment_from_deposit check (channel <> 'deposit' or kind in ('payment', 'refund'))
);
create index payment_encounter on payment (encounter, recorded_at);
create index payment_day on payment (organization_id, day);

alter table bill
  add column paid_fen    bigint not null default 0 constraint bill_paid_not_negative check (paid_fen >= 0),        -- taken less given back
  add column deposit_fen bigint not null default 0 constraint bill_deposit_not_negative check (deposit_fen >= 0),  -- held
  add column account_id  text;                                                                                    -- Account of a stay
-- What is to be taken or given back at the desk: the bills whose cash part and payments differ.
create index bill_to_balance on bill (organization_id, updated_at)
  where paid_fen <> (case when state = 'settled' then cash_fen else 0 end);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: post another entry instead', tg_table_name using errcode = 'restrict_violation';
end $$;
do $$
declare
  books text;
begin
  foreach books in array array['ledger_entry', 'settlement_event', 'payment'] loop
    execute format('create trigger %I_append_only before update or delete on %I for each row execute function refuse_change()', books, books);
    execute format('create trigger %I_no_truncate before truncate on %I for each statement execute function refuse_change()', books, books);
  end loop;
end $$;
