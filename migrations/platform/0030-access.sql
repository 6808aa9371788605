-- What the access decision looks at, as columns of the row, so that its SQL twin (api/src/access/visible.ts) needs no other table for
-- most rows. A row whose labels are null has not been judged yet (it was stored before this migration): it counts as if it carried
-- every label until the worker's `reindex` job has come by.
alter table resource add column labels int, add column org uuid, add column dept text, add column author uuid;
alter table resource_history add column labels int, add column org uuid, add column dept text, add column author uuid;
comment on column resource.labels is 'bits of access/labels.ts: sensitive categories, hidden by the citizen, may not be hidden, statutory';
comment on column resource.org is 'key of the Organization the entry comes from; of a Coverage the payer';
comment on column resource.dept is 'code of the national department catalogue';
comment on column resource.author is 'key of the Practitioner who wrote it';

-- Why a record is open to somebody. `practitioner` is the key of the Practitioner or, when a whole hospital is meant, of its Organization.
-- `opens` are the label bits that this relation opens beside its own department's.
alter table care_relation add column department text, add column opens int not null default 0;
alter table care_relation drop constraint care_relation_reason_check;
alter table care_relation add constraint care_relation_reason_check
  check (reason in ('appointment', 'encounter', 'gp-contract', 'referral', 'care-team', 'shared', 'break-glass'));
create index care_relation_organization on care_relation (organization, pid);
create index care_relation_reason on care_relation (reason_id);

-- Acting for another. `groups` are the data groups of access/data-groups.ts; from `limited_at` (the fourteenth birthday of a child) a
-- guardian sees what access/data-groups.ts leaves them. `consent` is the key of the Consent that gave it.
alter table proxy_grant add column kind text not null default 'guardian' constraint proxy_grant_kind_check check (kind in ('guardian', 'authorization')),
  add column groups int not null default 511, add column limited_at timestamptz, add column consent uuid;
update proxy_grant set kind = 'authorization', groups = 111 where relationship not in ('CHILD', 'SON', 'DAU', 'SONC', 'DAUC', 'NCHILD');
update proxy_grant set limited_at = until_at - interval '4 years' where kind = 'guardian' and until_at is not null;
alter table proxy_grant drop constraint proxy_grant_unique;
alter table proxy_grant add constraint proxy_grant_unique unique (pid, grantee_pid, kind, shard);
-- An authorization has an end; a guardian's right ends by age.
update proxy_grant set until_at = now() + interval '366 days' where kind = 'authorization' and until_at is null;
alter table proxy_grant add constraint proxy_grant_authorization_ends check (kind <> 'authorization' or until_at is not null);

-- Whom a citizen has barred from the record: a Practitioner or an Organization, by key. Derived from Consent in its transaction.
create table record_bar (
  shard   int         not null,                    -- shard of pid
  pid     uuid        not null,
  actor   uuid        not null,
  consent uuid        not null,                    -- key of the Consent
  from_at timestamptz not null,
  until_at timestamptz not null,
  constraint record_bar_pkey primary key (pid, actor, consent, shard)
);
create index record_bar_actor on record_bar (actor, pid);
create index record_bar_consent on record_bar (consent);

-- Single entries a citizen has hidden. The flag stands in resource.labels too; this says which Consent set it.
create table hidden_item (
  shard   int      not null,                       -- shard of pid
  pid     uuid     not null,
  t       smallint not null,
  id      uuid     not null,
  consent uuid     not null,
  constraint hidden_item_pkey primary key (id, t, consent, shard)
);
create index hidden_item_consent on hidden_item (consent);

-- One account never holds two of the three administrators.
create unique index account_role_one_administrator on account_role (account_id) where role in ('admin-system', 'admin-security', 'admin-audit');
