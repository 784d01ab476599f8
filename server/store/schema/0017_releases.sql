-- A brand as it was published: its source and its pages. The ten newest of each brand are kept.
CREATE TABLE release (
  brand       TEXT NOT NULL,
  n           BIGINT NOT NULL,             -- 1, 2, 3, … of the brand
  operator    TEXT NOT NULL,               -- an address, or '' for the command line
  made_at     BIGINT NOT NULL,
  manifest    BLOB NOT NULL,               -- merchant.releases.rows.Manifest, JSON
  files       BLOB NOT NULL,               -- path -> bytes of every file, MessagePack, zlib
  PRIMARY KEY (brand, n)
);

-- Which release of each brand is served.
CREATE TABLE release_live (
  brand       TEXT PRIMARY KEY,
  n           BIGINT NOT NULL,
  turn        BIGINT NOT NULL,             -- one more each time another release is served
  changed_at  BIGINT NOT NULL
);

-- The bucket into which a brand's pages are copied.
CREATE TABLE release_bucket (
  brand       TEXT PRIMARY KEY,
  bucket      BLOB NOT NULL,               -- merchant.releases.buckets.Bucket, JSON; without the secret
  secret      BLOB NOT NULL,               -- sealed
  turn        BIGINT NOT NULL,             -- the one that is there as a whole; 0: none
  taken_until BIGINT NOT NULL,             -- until when one process copies
  due_at      BIGINT NOT NULL,             -- not before
  failures    BIGINT NOT NULL,
  trouble     TEXT NOT NULL                -- why the last attempt failed; '': it did not
);

-- A file of ours in that bucket.
CREATE TABLE release_object (
  brand       TEXT NOT NULL,
  path        TEXT NOT NULL,
  hash        TEXT NOT NULL,               -- of what is there; '': it is being written
  turn        BIGINT NOT NULL,             -- the last one that has it
  PRIMARY KEY (brand, path)
);
