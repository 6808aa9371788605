-- Until when the patient's part of a settlement must be paid; then it is undone by itself. Null: settled before this, or without insurance.
alter table bill add column pay_by timestamptz;
create index bill_unpaid on bill (pay_by) where state = 'settled' and claim_id is not null and cash_fen > paid_fen;
