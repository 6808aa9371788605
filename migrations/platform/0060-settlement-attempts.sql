-- What an attempt needs so that it always comes to an end: how often it was asked about (the pause grows), when people were told
-- that it is late, the caller's idempotency key, and the answer as kept, so that the same call gets it again.
-- Once a reversal of its message was sent (`undo_at`), an attempt to settle can only end reversed: the reversal may still be on its way.
alter table settlement_attempt
  add column tries           int not null default 0,
  add column escalated_at    timestamptz,
  add column idempotency_key text,
  add column response_id     text,
  add column undo_at         timestamptz;
create index settlement_attempt_key on settlement_attempt (encounter, idempotency_key) where idempotency_key is not null;
-- Asked in turn, so that a hundred that stay unknown do not keep the others waiting.
create index settlement_attempt_turn on settlement_attempt ((coalesce(ask_at, created_at))) where state in ('prepared', 'sent', 'unknown');
drop index settlement_attempt_due;
