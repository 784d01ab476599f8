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

-- A sync that an operator asked for: a worker does it. How far it is, stripe_cursor says.
CREATE TABLE stripe_sync (
  brand      TEXT PRIMARY KEY,
  operator   TEXT NOT NULL,
  asked_at   BIGINT NOT NULL,
  not_before BIGINT NOT NULL,              -- after a try that failed, when the next one is
  trouble    TEXT NOT NULL,                -- why the last try failed: away | key; else ''
  ended_at   BIGINT,                       -- NULL: not yet
  customers  BIGINT NOT NULL,              -- what was read, once it has ended
  changed    BIGINT NOT NULL,
  odd        BIGINT NOT NULL
);
