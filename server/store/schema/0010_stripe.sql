-- What the copy of an account at Stripe is built from, beside the account itself.
CREATE TABLE stripe_copy (
  brand         TEXT NOT NULL,
  customer_id   TEXT NOT NULL,
  began_at      BIGINT NOT NULL,           -- when the fetch began that the copy is of: a later one replaces it
  wanted_at     BIGINT NOT NULL,           -- when the customer last came: a copy that nobody wants goes
  oldest        TEXT NOT NULL,             -- the oldest invoice that was fetched, where Stripe has older ones; else ''
  PRIMARY KEY (brand, customer_id)
);
CREATE INDEX stripe_copy_by_age ON stripe_copy (wanted_at);

-- The events that were taken, by poller or webhook: each once. They tell what changed, never how.
CREATE TABLE stripe_event (
  brand      TEXT NOT NULL,
  id         TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (brand, id)
);
CREATE INDEX stripe_event_by_age ON stripe_event (created_at);

-- What changed at Stripe and is to be read again: a customer, or an object of the catalog.
CREATE TABLE stripe_dirty (
  brand      TEXT NOT NULL,
  kind       TEXT NOT NULL,                -- customer | product | price | coupon | tax_rate
  id         TEXT NOT NULL,
  marked_at  BIGINT NOT NULL,              -- by the latest event
  not_before BIGINT NOT NULL,              -- also the lease: a worker moves it ahead while it reads
  PRIMARY KEY (brand, kind, id)
);
CREATE INDEX stripe_dirty_by_time ON stripe_dirty (brand, not_before);

-- How far the poller and `sync` have come, and until when one process has them to itself.
CREATE TABLE stripe_cursor (
  brand       TEXT NOT NULL,
  name        TEXT NOT NULL,               -- events | sync
  position    TEXT NOT NULL,
  moved_at    BIGINT NOT NULL,
  holder      TEXT NOT NULL,
  lease_until BIGINT NOT NULL,
  PRIMARY KEY (brand, name)
);

-- The token bucket of one Stripe account, for all processes.
CREATE TABLE stripe_budget (
  brand     TEXT PRIMARY KEY,
  tokens    BIGINT NOT NULL,               -- thousandths of a request
  filled_at BIGINT NOT NULL,
  slow_until BIGINT NOT NULL               -- after a 429 the bucket fills at half the rate
);
