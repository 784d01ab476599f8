-- A code may also prove the address that a customer wants to change to: only in the session that asked for it.
ALTER TABLE challenge ADD COLUMN session BLOB;                       -- its id_hash; NULL: the code is for log-in
CREATE INDEX challenge_by_session ON challenge (session);
