-- What a person posted to put a difference right: the proposed entries, once, never changed. The month is cleared by what was
-- booked and what was corrected. And the clearing in the ledger: at the close what funds and accounts owe moves to one account a
-- scheme, at the payout from there to the bank. Entries of neither belong to a visit.
create table correction (
  difference      uuid        not null constraint correction_pkey primary key references difference,
  institution     text        not null,
  organization_id text        not null,
  day             date        not null,
  scheme          text        not null,              -- '' of a till
  count           int         not null check (count between -1 and 1),  -- lines of the day list that it adds or takes away
  total_fen       bigint      not null,
  fund_fen        bigint      not null,
  account_fen     bigint      not null,
  cash_fen        bigint      not null,
  reason          text        not null,
  posted_by       text        not null,              -- principal
  posted_at       timestamptz not null,
  constraint correction_adds_up check (total_fen = fund_fen + account_fen + cash_fen)
);
create index correction_day on correction (institution, day);
create trigger correction_append_only before update or delete on correction for each row execute function refuse_change();
create trigger correction_no_truncate before truncate on correction for each statement execute function refuse_change();

alter table ledger_entry alter column encounter drop not null;
alter table clearing_month add column in_ledger boolean not null default false;  -- false: closed before the ledger had clearings
