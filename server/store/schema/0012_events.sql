-- What is told to a merchant's endpoints, one row for each endpoint: written in the transaction of what it tells of.
CREATE TABLE event (
  id          TEXT NOT NULL,
  brand       TEXT NOT NULL,
  endpoint    TEXT NOT NULL,               -- its URL
  customer_id TEXT NOT NULL,               -- '': of no customer; each customer's events go in their order
  position    BIGINT NOT NULL,             -- that order
  type        TEXT NOT NULL,
  document    BLOB NOT NULL,               -- the event as it is sent, JSON
  created_at  BIGINT NOT NULL,
  not_before  BIGINT NOT NULL,             -- also the lease: a worker moves it ahead while it sends
  attempts    BIGINT NOT NULL DEFAULT 0,
  state       TEXT NOT NULL,               -- waiting | sent | failed
  detail      TEXT NOT NULL DEFAULT '',    -- what the endpoint answered last
  PRIMARY KEY (id, endpoint)
);
CREATE INDEX event_due ON event (state, not_before);
CREATE INDEX event_in_order ON event (brand, endpoint, customer_id, state, position);
CREATE INDEX event_by_age ON event (brand, created_at);
