-- A citizen's record belongs to one account: two people who register with the same proof at once make one.
create unique index account_role_citizen on account_role (patient) where role = 'citizen';
-- How the person behind an account was proved: by the register (ID, name and card agree), or at a desk.
alter table account add column proof text not null default 'desk' check (proof in ('register', 'desk'));
