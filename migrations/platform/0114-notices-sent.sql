-- What a patient has to know does not wait until they look into the portal: notices go out by the person's channels, as reminders do.
-- `notice.wake_at` is the outbox, written with the notice; the worker (booking/deliver-notices.ts) asks what is to be sent and writes when to ask again.
alter table notice add column wake_at timestamptz;           -- null: nothing (more) to send
create index notice_due on notice (wake_at) where wake_at is not null;

create table notice_message (
  shard   int         not null,                              -- of the notice
  id      uuid        not null,                              -- of notice and channel: the channel knows a message it had before
  notice  uuid        not null,
  pid     uuid        not null,
  channel text        not null check (channel in ('app', 'sms', 'phone')),
  sent_at timestamptz not null,
  read_by timestamptz,                                       -- unread then: the next channel is asked; null: there is none
  read_at timestamptz,
  constraint notice_message_pkey primary key (id, shard),
  constraint notice_message_once unique (notice, channel, shard)
);
create index notice_message_sent on notice_message (sent_at);
