-- The steps before a settlement: a visit is registered (2201), its details are uploaded in batches (2204), both can be taken back
-- (2202, 2205). Each batch and each registration has a message id and one answer for ever. Of a detail only what stands has a
-- row, so a line of an institution counts once in its visit; a visit has one standing settlement at most.
create table visit (
  number         text        not null constraint visit_pkey primary key,  -- mdtrt_id
  client_id      text        not null,
  message_id     text        not null constraint visit_message unique,
  body_hash      text        not null,
  insured_region text        not null,
  psn_no         text        not null,
  provider       text        not null,
  medical_type   text        not null,
  begun_on       date        not null,
  state          text        not null check (state in ('registered', 'cancelled')),
  registered_at  timestamptz not null,
  cancelled_at   timestamptz,
  constraint visit_cancelled check ((state = 'cancelled') = (cancelled_at is not null))
);

create table visit_batch (
  message_id   text        not null constraint visit_batch_pkey primary key,
  client_id    text        not null,
  visit        text        not null references visit,
  state        text        not null check (state in ('uploaded', 'cancelled', 'void')),  -- void: taken back before it came
  body_hash    text,
  content      text,                                                      -- Bundle, JSON
  response     text,                                                      -- ClaimResponse, JSON
  received_at  timestamptz not null,
  cancelled_at timestamptz,
  constraint visit_batch_whole check (state = 'void' or (body_hash is not null and content is not null and response is not null)),
  constraint visit_batch_cancelled check ((state = 'uploaded') = (cancelled_at is null))
);
create index visit_batch_visit on visit_batch (visit);

create table visit_detail (
  visit           text    not null references visit,
  detail          text    not null,                                       -- the institution's number of the line
  batch           text    not null references visit_batch,
  code            text    not null,
  quantity        integer not null check (quantity > 0),
  amount_fen      bigint  not null check (amount_fen >= 0),
  catalogue_class text    not null check (catalogue_class in ('A', 'B', 'C')),
  first_pay_parts integer not null check (first_pay_parts between 0 and 10000),
  limit_fen       bigint  check (limit_fen >= 0),                         -- of one unit
  constraint visit_detail_pkey primary key (visit, detail)
);
create index visit_detail_batch on visit_detail (batch);

alter table claim add column visit text references visit;
create unique index claim_visit_settled on claim (visit) where state = 'settled';
alter table forward add column visit text references visit;
create unique index forward_visit_undecided on forward (visit) where state in ('prepared', 'sent', 'unknown', 'reversing');
