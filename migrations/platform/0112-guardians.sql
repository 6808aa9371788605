-- A guardian's right comes from a RelatedPerson as an authorization comes from a Consent: the column says what gave it, whichever it was.
alter table proxy_grant rename column consent to source;
comment on column proxy_grant.source is 'key of the Consent or RelatedPerson that gave it; null for those of before';
create index proxy_grant_source on proxy_grant (source) where source is not null;
