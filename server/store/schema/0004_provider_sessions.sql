-- What a customer is sent to the provider's page for: adding a payment method, or confirming a payment. Only the ledger
-- has these; its sandbox page plays the provider. A number that was typed there is in none of the columns.
CREATE TABLE provider_session (
  id_hash     BLOB PRIMARY KEY,            -- SHA-256 of the token in the page's address
  brand       TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind        TEXT NOT NULL,               -- setup | payment
  subject     TEXT NOT NULL,               -- setup: the method that is replaced, or ''; payment: the invoice
  return_to   TEXT NOT NULL,               -- one of our own pages
  state       TEXT NOT NULL,               -- open | confirming | done | failed
  data        BLOB NOT NULL,               -- MessagePack map of text to text: what the page needs to go on
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL
);
CREATE INDEX provider_session_by_expiry ON provider_session (expires_at);
