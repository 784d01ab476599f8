-- What was declared without logging in: a cancellation, a withdrawal. What it says is never changed.
CREATE TABLE declaration (
  id          TEXT PRIMARY KEY,
  brand       TEXT NOT NULL,
  address     TEXT NOT NULL,               -- canonical; typed by whoever declared it
  declared_at BIGINT NOT NULL,
  document    BLOB NOT NULL,               -- what was declared, JSON
  hash        TEXT NOT NULL,               -- SHA-256 of the document, in hex
  due_at      BIGINT NOT NULL,             -- until when the merchant decides
  state       TEXT NOT NULL,               -- open | applied | answered
  proved_at   BIGINT,                      -- when the address was proved; NULL: it was not
  subscription TEXT NOT NULL DEFAULT '',   -- what it was applied to
  ends_at     BIGINT,                      -- and when that ends
  decided_at  BIGINT,
  operator    TEXT NOT NULL DEFAULT '',    -- who answered
  answer      TEXT NOT NULL DEFAULT ''     -- in which words
);
CREATE INDEX declaration_by_state ON declaration (brand, state, due_at);
CREATE INDEX declaration_by_address ON declaration (brand, address, declared_at);
CREATE INDEX declaration_by_age ON declaration (declared_at);
