-- Operators who are logged in to the studio. Never a customer's session, nor the reverse.
CREATE TABLE studio_session (
  id_hash      BLOB PRIMARY KEY,           -- SHA-256 over a label and the token in the cookie
  address      TEXT NOT NULL,              -- canonical, proved by a passcode
  browser      TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  verified_at  BIGINT                      -- when a passkey was shown last; NULL: none was
);
CREATE INDEX studio_session_by_address ON studio_session (address);

CREATE TABLE studio_passkey (
  id           BLOB PRIMARY KEY,           -- the credential's, as the authenticator named it
  address      TEXT NOT NULL,
  public_key   BLOB NOT NULL,
  sign_count   BIGINT NOT NULL,
  name         TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  used_at      BIGINT NOT NULL
);
CREATE INDEX studio_passkey_by_address ON studio_passkey (address);

-- What an authenticator was asked to sign: one row, used once.
CREATE TABLE studio_ceremony (
  challenge    BLOB PRIMARY KEY,
  session      BLOB NOT NULL,              -- id_hash of the session that asked
  kind         TEXT NOT NULL,              -- register or verify
  expires_at   BIGINT NOT NULL
);

-- The word from `operators add` with which somebody registers a first passkey.
CREATE TABLE studio_word (
  address      TEXT PRIMARY KEY,
  mac          BLOB NOT NULL,
  expires_at   BIGINT NOT NULL
);
