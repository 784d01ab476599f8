-- Mails about a customer, not about an address that somebody typed: `customer_id` says whose, and `address` is empty.
ALTER TABLE outbox ADD COLUMN customer_id TEXT NOT NULL DEFAULT '';
-- What the mail tells of. The same event of the same customer never gives two rows; NULL: it is no such mail.
ALTER TABLE outbox ADD COLUMN event TEXT;
-- 1: nobody waits in front of a screen for it, so it leaves after those for whom somebody does.
ALTER TABLE outbox ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX outbox_by_event ON outbox (brand, customer_id, event);
CREATE INDEX outbox_by_customer ON outbox (brand, customer_id, created_at);
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (state, later, not_before);

-- Reminders are among what is due by itself now: each account is looked at once, and its moment written anew.
UPDATE account SET due_at = as_of WHERE due_at IS NOT NULL;
