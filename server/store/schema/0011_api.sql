-- The keys of a merchant's back end. The key itself is nowhere.
CREATE TABLE api_key (
  id          TEXT PRIMARY KEY,
  brand       TEXT NOT NULL,
  mac         BLOB NOT NULL UNIQUE,        -- HMAC of the key, under a secret that is not in the database
  hint        TEXT NOT NULL,               -- its beginning and its last letters, to tell keys apart
  live        BIGINT NOT NULL,             -- 1: for live data
  permissions TEXT NOT NULL,               -- words with blanks between them
  created_at  BIGINT NOT NULL,
  used_at     BIGINT,
  revoked_at  BIGINT
);
CREATE INDEX api_key_by_brand ON api_key (brand, created_at);

-- What was answered to an Idempotency-Key, for a day.
CREATE TABLE api_request (
  key_id      TEXT NOT NULL,
  name        TEXT NOT NULL,               -- the Idempotency-Key
  digest      BLOB NOT NULL,               -- of the request: the same name with another one is refused
  answer      BLOB NOT NULL,               -- sealed: it may hold the URL of a session
  request_id  TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id, name)
);
CREATE INDEX api_request_by_age ON api_request (created_at);

-- Configurations that the API made; the brand's portal.toml is the default one.
CREATE TABLE api_configuration (
  brand      TEXT NOT NULL,
  id         TEXT NOT NULL,
  live       BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  document   BLOB NOT NULL,                -- access.configurations.Configuration, MessagePack
  PRIMARY KEY (brand, id)
);
CREATE INDEX api_configuration_by_age ON api_configuration (brand, live, created_at, id);

-- A session that a merchant's back end made for one customer: a URL that opens once, and what holds after that.
CREATE TABLE portal_session (
  id          TEXT PRIMARY KEY,
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  token_hash  BLOB NOT NULL UNIQUE,        -- SHA-256 of the token in the URL
  document    BLOB NOT NULL,               -- access.portal_sessions.Terms, MessagePack
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,             -- unopened until then, it opens no more
  opened_at   BIGINT,
  flow_done_at BIGINT                      -- when the customer came to the end of its flow
);
CREATE INDEX portal_session_by_age ON portal_session (created_at);

ALTER TABLE session ADD COLUMN portal_session TEXT NOT NULL DEFAULT '';  -- '': the customer logged in
CREATE INDEX session_by_portal_session ON session (portal_session);
