-- Who may use the studio, and for which brand.
CREATE TABLE studio_operator (
  address     TEXT NOT NULL,               -- canonical
  brand       TEXT NOT NULL,               -- '': every brand
  role        TEXT NOT NULL,               -- a key of merchant.studio.operators.RIGHTS
  added_at    BIGINT NOT NULL,
  PRIMARY KEY (address, brand)
);

-- What operators did, each row with the hash of the one before. Rows are never changed and never dropped.
CREATE TABLE studio_act (
  n           BIGINT PRIMARY KEY,          -- 1, 2, 3, …
  at          BIGINT NOT NULL,
  operator    TEXT NOT NULL,               -- an address, or '' for the command line
  brand       TEXT NOT NULL,               -- '': every brand
  what        TEXT NOT NULL,
  data        TEXT NOT NULL,
  hash        BLOB NOT NULL
);

-- The one row that each act takes first, so that two acts at once do not follow the same one.
CREATE TABLE studio_head (
  id          BIGINT PRIMARY KEY,          -- 1
  n           BIGINT NOT NULL,
  hash        BLOB NOT NULL
);
