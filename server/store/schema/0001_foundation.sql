-- Every row carries its brand. Times are UTC microseconds. BLOB becomes BYTEA on PostgreSQL.

-- One request for a passcode, bound to the browser that asked by a cookie whose SHA-256 is the key.
CREATE TABLE challenge (
  id_hash     BLOB PRIMARY KEY,
  brand       TEXT NOT NULL,
  link        TEXT NOT NULL,
  address     TEXT NOT NULL,               -- canonical
  code_mac    BLOB NOT NULL,
  hardened    BIGINT NOT NULL,             -- 1: the 15-letter code
  attempts    BIGINT NOT NULL DEFAULT 0,
  sent_at     BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  consumed_at BIGINT
);
CREATE INDEX challenge_by_address ON challenge (brand, address, sent_at);
CREATE INDEX challenge_by_expiry ON challenge (expires_at);

-- Counters. `subject` is an address or a client address; `starts_at` is where its window begins (0: no window).
CREATE TABLE budget (
  brand      TEXT NOT NULL,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  starts_at  BIGINT NOT NULL,
  used       BIGINT NOT NULL,
  expires_at BIGINT,                       -- NULL: kept until cleared
  PRIMARY KEY (brand, kind, subject, starts_at)
);
CREATE INDEX budget_by_expiry ON budget (expires_at);

CREATE TABLE session (
  id_hash      BLOB PRIMARY KEY,           -- SHA-256 of the cookie's token
  brand        TEXT NOT NULL,
  customer_id  TEXT NOT NULL,
  address      TEXT NOT NULL,              -- canonical, as proved at log-in
  kind         TEXT NOT NULL,              -- login | link
  browser      TEXT NOT NULL,              -- family, such as "Firefox on Linux"
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL             -- absolute
);
CREATE INDEX session_by_customer ON session (brand, customer_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- The directory: log-in and search.
CREATE TABLE customer (
  brand      TEXT NOT NULL,
  id         TEXT NOT NULL,
  address    TEXT NOT NULL,                -- canonical; '' when the customer has none
  email      TEXT NOT NULL,                -- as stored at the billing side: mail goes here
  name       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  active     BIGINT NOT NULL,              -- 1: has a subscription that is active, trialing or past_due
  disabled   BIGINT NOT NULL,              -- 1: may not log in
  PRIMARY KEY (brand, id)
);
CREATE INDEX customer_by_address ON customer (brand, address, created_at);

CREATE TABLE account (
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  version     BIGINT NOT NULL,
  as_of       BIGINT NOT NULL,
  due_at      BIGINT,                      -- when something next happens by itself
  document    BLOB NOT NULL,               -- billing.Account, MessagePack
  PRIMARY KEY (brand, customer_id)
);
CREATE INDEX account_by_due ON account (due_at);

-- Every invoice, also those that the account document holds.
CREATE TABLE invoice (
  brand       TEXT NOT NULL,
  id          TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  document    BLOB NOT NULL,               -- billing.Invoice, MessagePack
  PRIMARY KEY (brand, id)
);
CREATE INDEX invoice_by_customer ON invoice (brand, customer_id, created_at, id);

-- Products, prices, coupons and promotion codes that portal.toml may name.
CREATE TABLE catalog (
  brand    TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (brand, kind, id)
);

-- What a customer asked for, written before the billing side is asked.
CREATE TABLE operation (
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  key         TEXT NOT NULL,               -- idempotency key
  action      TEXT NOT NULL,
  subject     TEXT NOT NULL,
  state       TEXT NOT NULL,               -- planned | sent | done | failed | unknown
  result      BLOB,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  PRIMARY KEY (brand, customer_id, key)
);
CREATE INDEX operation_by_age ON operation (created_at);

CREATE TABLE outbox (
  id         TEXT PRIMARY KEY,
  brand      TEXT NOT NULL,
  kind       TEXT NOT NULL,                -- passcode, …
  address    TEXT NOT NULL,                -- canonical address the mail is about; the worker finds the customer
  data       BLOB,                         -- sealed; emptied once the mail is gone
  created_at BIGINT NOT NULL,
  not_before BIGINT NOT NULL,              -- also the lease: a worker moves it ahead while it sends
  expires_at BIGINT NOT NULL,
  attempts   BIGINT NOT NULL DEFAULT 0,
  state      TEXT NOT NULL,                -- waiting | sent | nobody | expired
  detail     TEXT NOT NULL DEFAULT ''      -- why it is so, in words for the merchant
);
CREATE INDEX outbox_due ON outbox (state, not_before);
CREATE INDEX outbox_by_address ON outbox (brand, address, created_at);
CREATE INDEX outbox_by_age ON outbox (created_at);

-- The customer's and the merchant's history.
CREATE TABLE activity (
  id          TEXT PRIMARY KEY,
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  at          BIGINT NOT NULL,
  kind        TEXT NOT NULL,               -- login, subscription.canceled, subscription.resumed, …
  subject     TEXT NOT NULL,               -- the id of what it was done to, or ''
  data        BLOB NOT NULL,               -- MessagePack map of text to text
  browser     TEXT NOT NULL
);
CREATE INDEX activity_by_customer ON activity (brand, customer_id, at);
