-- Nobody holds two of the three administrators, under whatever accounts: `person` is the key of the Patient that the person index has of whoever an
-- administrator is. Accounts from before name nobody; each stands for itself until it is made anew.
alter table account_role add column person uuid;
update account_role set person = account_id where role in ('admin-system', 'admin-security', 'admin-audit');
alter table account_role add constraint account_role_administrator_person check (role not in ('admin-system', 'admin-security', 'admin-audit') or person is not null);
create unique index account_role_administrator_once on account_role (person) where role in ('admin-system', 'admin-security', 'admin-audit');

-- A password that was handed out counts until then; null: the person chose it.
alter table account add column initial_until timestamptz;
