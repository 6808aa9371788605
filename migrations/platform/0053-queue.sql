-- The queue of a clinic: one ticket for each patient who has checked in. The number is shown on the screen; the order of calling is that of
-- booking/queue-order.ts. Written under the lock of the session, so numbers have no gap and nobody is called twice.
create table queue_ticket (
  shard      int         not null,                           -- of the session
  booking    uuid        not null,
  session_id uuid        not null,
  number     smallint    not null check (number > 0),
  turn       smallint    not null,                           -- index of the segment whose turn it is
  priority   text        check (priority in ('age-70', 'disabled', 'pregnant', 'military')),
  since      timestamptz not null,                           -- check-in, or the call that was missed
  state      text        not null check (state in ('waiting', 'called', 'done')),
  calls      smallint    not null default 0,
  called_at  timestamptz,
  done_at    timestamptz,
  constraint queue_ticket_pkey primary key (booking, shard),
  constraint queue_ticket_number unique (session_id, number, shard),
  constraint queue_ticket_called check (state <> 'called' or called_at is not null),
  constraint queue_ticket_done check ((state = 'done') = (done_at is not null))
);
