-- Systems of a hospital write what that hospital keeps in the directory. Of services and plans the hospital is now read from `providedBy` and
-- `ownedBy` (access/placement.ts); the `reindex` job sets it for rows from before, which count as not judged until then. 60 and 66 are the
-- numbers of HealthcareService and InsurancePlan.
update resource set labels = null where t in (60, 66) and org is null;
