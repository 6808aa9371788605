-- What the access condition asks only of few rows, as functions: they are planned once a session and not with every statement that reads.
-- Bits and groups are arguments, so that they stand in one place (access/labels.ts, access/data-groups.ts).

-- A row with closed labels: hidden bits need a relation that opens them, sensitive ones that or the department the row comes from.
create function access_opened(of_pid uuid, labels int, from_org uuid, from_dept text, actors uuid[], at timestamptz, hidden int, sensitive int) returns boolean
language plpgsql stable parallel safe as $$
begin
  return (labels & hidden = 0 or exists (select from care_relation c where c.practitioner = any(actors) and c.pid = of_pid and c.from_at <= at and c.until_at > at and c.opens & hidden <> 0))
    and (labels & sensitive = 0 or exists (select from care_relation c where c.practitioner = any(actors) and c.pid = of_pid and c.from_at <= at and c.until_at > at
      and (labels & sensitive & ~c.opens = 0 or (c.organization = from_org and c.department = from_dept))));
end $$;

-- A relation that holds although the citizen barred the caller.
create function access_passes_bar(of_pid uuid, actors uuid[], at timestamptz, barred int) returns boolean
language plpgsql stable parallel safe as $$
begin
  return exists (select from care_relation c where c.practitioner = any(actors) and c.pid = of_pid and c.from_at <= at and c.until_at > at and c.opens & barred <> 0);
end $$;

-- A grant of the citizen for this patient that covers a group and leaves none of the row's labels closed. `limited`: the groups of a guardian from fourteen on.
create function access_acts_for(of_pid uuid, own uuid, at timestamptz, of_group int, labels int, limited int, sensitive_group int, own_of_minor int, closed int) returns boolean
language plpgsql stable parallel safe as $$
begin
  return exists (select from proxy_grant g
    cross join lateral (select case when g.limited_at <= at then g.groups & limited else g.groups end as groups) now
    where g.grantee_pid = own and g.pid = of_pid and g.from_at <= at and (g.until_at is null or g.until_at > at)
      and now.groups & of_group <> 0 and labels & (case when now.groups & sensitive_group <> 0 then own_of_minor else closed end) = 0);
end $$;
