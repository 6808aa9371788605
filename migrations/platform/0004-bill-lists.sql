-- Bills as people read them: lines in the order the doctor entered them, also when they came in one request, and a list for
-- the registration office of an institution.
alter table bill_line add column position int not null default 0;
create index bill_organization on bill (organization_id, service_date desc, encounter);
