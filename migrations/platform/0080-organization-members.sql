-- A system that acts for a region sees what its hospitals see. Which hospitals those are is said by Organization.partOf: column org of an
-- Organization's row is the Organization it is part of (access/placement.ts; the `reindex` job sets it for rows from before). 100 is the
-- number of type Organization.
update resource set org = null where t = 100 and org is not null;
create index resource_organization_parent on resource (org) where t = 100;

-- An organization and all that are part of it, at any depth; a circle ends where it began.
create function access_members(of_org uuid) returns setof uuid language sql stable parallel safe rows 20 as $$
  with recursive member(org) as (select of_org union select r.id from member m join resource r on r.t = 100 and r.org = m.org)
  select org from member
$$;
