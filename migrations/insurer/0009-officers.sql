-- Who approved and who paid a clearing, by the platform's id of the officer; null: before this, or settled between two centres.
alter table clearing
  add column approved_by text,
  add column paid_by     text;
