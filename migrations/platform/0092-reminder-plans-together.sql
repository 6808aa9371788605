-- Bookings are made up to 64 at a time: their reminder plans are written by one statement for all of them, not by one call for each, which cost as
-- much as the insert itself.
create function plan_new_bookings() returns trigger language plpgsql as $$
begin
  insert into reminder_plan (shard, booking, wake_at) select shard, id, updated_at from made where state = 'booked'
    on conflict (booking, shard) do update set wake_at = excluded.wake_at;
  return null;
end $$;
drop trigger booking_made on booking;
create trigger booking_made after insert on booking referencing new table as made for each statement execute function plan_new_bookings();
