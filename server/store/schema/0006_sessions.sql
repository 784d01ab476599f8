-- The browsers that a customer has logged in from, each by the hash of a random mark in a cookie of its own; no row says
-- anything of the browser itself. A log-in from another one is told by mail.
CREATE TABLE known_browser (
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  mark_hash   BLOB NOT NULL,               -- over the mark and the customer: rows of two customers cannot be joined
  seen_at     BIGINT NOT NULL,             -- the last log-in from it
  PRIMARY KEY (brand, customer_id, mark_hash)
);
CREATE INDEX known_browser_by_age ON known_browser (seen_at);
