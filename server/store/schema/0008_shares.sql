-- What an address may ask for is counted over all brands, and by whom: a share for whoever asks, and one for its owner.
ALTER TABLE challenge ADD COLUMN owned BIGINT NOT NULL DEFAULT 0;    -- 1: from the owner's share
ALTER TABLE challenge ADD COLUMN client_mac BLOB;                    -- who asked: a MAC over the address and the client
CREATE INDEX challenge_by_mailbox ON challenge (address, sent_at);
DROP INDEX challenge_by_address;

-- The browser as one that has proved this address: a hash over its mark and the address. NULL: before this migration.
ALTER TABLE known_browser ADD COLUMN asker_hash BLOB;
CREATE INDEX known_browser_by_asker ON known_browser (asker_hash);

-- Wrong codes are counted over all brands; 20 is as far as they are counted.
INSERT INTO budget (brand, kind, subject, starts_at, used)
SELECT '', kind, subject, starts_at, CASE WHEN SUM(used) > 20 THEN 20 ELSE SUM(used) END
  FROM budget WHERE kind = 'wrong' AND brand <> '' GROUP BY kind, subject, starts_at;
DELETE FROM budget WHERE kind = 'wrong' AND brand <> '';
