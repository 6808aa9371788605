-- The turn of a benefit year: what is left on the account of the year goes to the account of earlier years, once a person and year.
-- `account_year`: first day of the benefit year that the account of the year belongs to; null until the first turn is looked for.
alter table insured_person add column account_year date;
create index insured_person_account_year on insured_person (region, account_year);

create table account_turn (
  psn_no    text        not null references insured_person,
  year_from date        not null,                                     -- the year that began
  moved_fen bigint      not null check (moved_fen >= 0),
  turned_at timestamptz not null,
  constraint account_turn_pkey primary key (psn_no, year_from)
);
create trigger account_turn_append_only before update or delete on account_turn for each row execute function refuse_change();
create trigger account_turn_no_truncate before truncate on account_turn for each statement execute function refuse_change();
