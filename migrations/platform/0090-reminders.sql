-- Reminders of visits. `reminder_plan` is the outbox: a booking that becomes `booked` gets its row in the same transaction, whoever wrote it and
-- however, because the database does it; the worker (booking/send-reminders.ts) asks at `wake_at` what is to be sent and writes when to ask again.
-- `reminder` says what was handed to a channel. When a booking is cancelled, what was sent is revoked in the same transaction.
create table reminder_plan (
  shard    int         not null,                             -- of the session
  booking  uuid        not null,
  wake_at  timestamptz,                                      -- null: nothing more to send
  constraint reminder_plan_pkey primary key (booking, shard)
);
create index reminder_plan_due on reminder_plan (wake_at) where wake_at is not null;

create table reminder (
  shard       int         not null,                          -- of the session
  id          uuid        not null,                          -- of booking, rung and channel: the channel knows a message it had before
  booking     uuid        not null,
  pid         uuid        not null,
  rung        text        not null check (rung in ('booked', 'first', 'second', 'third', 'last', 'withdrawn')),
  channel     text        not null check (channel in ('app', 'sms', 'phone')),
  sent_at     timestamptz not null,
  read_by     timestamptz,                                   -- unread then: the next channel is asked; null: there is none
  read_at     timestamptz,
  revoked_at  timestamptz,                                   -- the visit was cancelled or moved
  recalled_at timestamptz,                                   -- the channel was told
  constraint reminder_pkey primary key (id, shard),
  constraint reminder_once unique (booking, rung, channel, shard),
  constraint reminder_recalled check (recalled_at is null or revoked_at is not null)
);
create index reminder_sent on reminder (sent_at);

-- How a person wants to be told: channels in their order (empty: not at all) and language. No row: app, message, call; Chinese.
create table contact_preference (
  shard    int         not null,                             -- shardOf(pid)
  pid      uuid        not null,
  channels text[]      not null,
  language text        not null check (language in ('zh', 'en')),
  set_by   text        not null,                             -- principal: the person or who acts for them
  set_at   timestamptz not null,
  constraint contact_preference_pkey primary key (pid, shard),
  constraint contact_preference_channels check (channels <@ array['app', 'sms', 'phone'])
);

-- What the demonstration's telephone and app received: the far side of its channels, in place of a carrier.
create table demo_message (
  shard       int         not null,                          -- shardOf(pid)
  id          uuid        not null,                          -- reminder.id
  pid         uuid        not null,
  channel     text        not null,
  address     text        not null,                          -- masked
  language    text        not null,
  body        text        not null,
  appointment text,                                          -- FHIR id; only of the app
  received_at timestamptz not null,
  read_at     timestamptz,
  recalled_at timestamptz,
  constraint demo_message_pkey primary key (id, shard)
);
create index demo_message_person on demo_message (pid, received_at desc);

create function plan_reminders() returns trigger language plpgsql as $$
begin
  if new.state = 'booked' then
    insert into reminder_plan (shard, booking, wake_at) values (new.shard, new.id, new.updated_at)
      on conflict (booking, shard) do update set wake_at = excluded.wake_at;
  else
    if new.state = 'cancelled' then
      update reminder set revoked_at = new.updated_at where booking = new.id and shard = new.shard and revoked_at is null;
    end if;
    update reminder_plan set wake_at = case when new.state = 'cancelled' and found then new.updated_at end where booking = new.id and shard = new.shard;
  end if;
  return null;
end $$;
create trigger booking_made after insert on booking for each row when (new.state = 'booked') execute function plan_reminders();
create trigger booking_moved_on after update of state on booking for each row
  when (old.state is distinct from new.state and (old.state = 'booked' or new.state = 'booked')) execute function plan_reminders();

insert into reminder_plan (shard, booking, wake_at) select shard, id, now() from booking where state = 'booked' and start_at > now();
