-- What a hospital offers, and who works in which of its departments, where the desk entered or ended it; what only patterns name needs no row.
create table clinic_service (
  shard              int  not null,                          -- of the organization
  healthcare_service text not null,                          -- FHIR id: one HealthcareService a department
  clinic_type        text not null check (clinic_type in ('ordinary', 'expert', 'disease-specific', 'special-need')),
  organization       text not null,
  department         text not null,
  closed_from        date,                                   -- null: offered
  constraint clinic_service_pkey primary key (healthcare_service, clinic_type, shard)
);
create index clinic_service_organization on clinic_service (organization, department);

create table clinic_doctor (
  shard             int  not null,                           -- of the organization
  practitioner_role text not null,                           -- FHIR ids
  practitioner      text not null,
  organization      text not null,
  department        text not null,
  title             text not null check (title in ('chief', 'associate-chief', 'attending', 'resident')),
  name_zh           text not null,
  name_en           text not null,
  left_from         date,                                    -- null: works here
  constraint clinic_doctor_pkey primary key (organization, department, practitioner, shard)
);

alter table supply_change drop constraint supply_change_kind_check;
alter table supply_change add constraint supply_change_kind_check check (kind in (
  'pattern-new', 'pattern-changed', 'pattern-ended', 'room-new', 'room-closed', 'day-set', 'service-new', 'service-closed', 'doctor-new', 'doctor-left'));
