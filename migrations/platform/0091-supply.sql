-- Supply kept by the hospital's desk. A weekly pattern is never overwritten: a change ends its row on the day before and begins another. What
-- was changed, by whom, from which day, and whom it touched stays as a row of supply_change.
create table supply_change (
  shard        int         not null,                         -- of the organization
  id           uuid        not null,
  organization text        not null,
  kind         text        not null check (kind in ('pattern-new', 'pattern-changed', 'pattern-ended', 'room-new', 'room-closed', 'day-set')),
  subject      text        not null,                         -- session_template.id, FHIR id of the Location, or the day
  from_day     date        not null,
  before       jsonb,
  after        jsonb,
  sessions     int         not null default 0,               -- of those there already, how many it changed
  patients     int         not null default 0,               -- who were told
  set_by       text        not null,
  set_by_name  text        not null,
  set_at       timestamptz not null,
  constraint supply_change_pkey primary key (id, shard)
);
create index supply_change_organization on supply_change (organization, set_at desc);
create trigger supply_change_append_only before update or delete on supply_change for each row execute function refuse_change();
create trigger supply_change_no_truncate before truncate on supply_change for each statement execute function refuse_change();

-- Rooms that the desk entered or closed; those that only patterns name need no row.
create table clinic_room (
  shard        int  not null,                                -- of the organization
  location     text not null,                                -- FHIR id of the Location
  organization text not null,
  name_zh      text not null,
  name_en      text not null,
  closed_from  date,                                         -- null: in use
  constraint clinic_room_pkey primary key (location, shard)
);
create index clinic_room_organization on clinic_room (organization);
create index session_template_organization on session_template (organization, department);
