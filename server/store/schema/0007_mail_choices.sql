-- The reminders that a customer does not want. No row: they are mailed.
CREATE TABLE mail_choice (
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind        TEXT NOT NULL,               -- renewal_reminder | card_expiring
  off_at      BIGINT NOT NULL,             -- since when
  PRIMARY KEY (brand, customer_id, kind)
);
