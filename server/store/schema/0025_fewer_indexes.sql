-- The list of accounts that are due is read from its index alone, not from as many pages as there are accounts in it.
CREATE INDEX account_due ON account (due_at, brand, customer_id);
DROP INDEX account_by_due;

-- A customer's mails of a month are found by `outbox_by_event`. Nobody asks for the oldest copies of every brand.
DROP INDEX outbox_by_customer;
DROP INDEX stripe_copy_by_age;
