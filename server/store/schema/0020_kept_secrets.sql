-- Secrets of other services that an operator gave in the studio, such as Stripe's key. Sealed with PORTAL_SECRETS.
CREATE TABLE kept_secret (
  brand       TEXT NOT NULL,
  name        TEXT NOT NULL,               -- stripe_key | stripe_webhook_secret
  sealed      BLOB NOT NULL,
  hint        TEXT NOT NULL,               -- what it begins with, and its last four characters
  fingerprint TEXT NOT NULL,               -- the first 12 hexadecimal digits of its SHA-256
  operator    TEXT NOT NULL,               -- who gave it
  kept_at     BIGINT NOT NULL,
  PRIMARY KEY (brand, name)
);
