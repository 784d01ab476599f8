-- What an operator of the studio has changed and not yet written into the brand's files.
CREATE TABLE studio_draft (
  operator    TEXT NOT NULL,
  brand       TEXT NOT NULL,
  changes     BLOB NOT NULL,               -- path of a key -> merchant.studio.drafts.Change, MessagePack
  changed_at  BIGINT NOT NULL,
  PRIMARY KEY (operator, brand)
);
CREATE INDEX studio_draft_by_age ON studio_draft (changed_at);

-- A picture or font that a draft names.
CREATE TABLE studio_upload (
  operator    TEXT NOT NULL,
  brand       TEXT NOT NULL,
  name        TEXT NOT NULL,               -- made by us, of the kind and the hash of the content
  content     BLOB NOT NULL,
  uploaded_at BIGINT NOT NULL,
  PRIMARY KEY (operator, brand, name)
);
CREATE INDEX studio_upload_by_age ON studio_upload (uploaded_at);

-- The last writes of the studio into a brand's files, to be undone.
CREATE TABLE studio_write (
  id          TEXT PRIMARY KEY,
  brand       TEXT NOT NULL,
  operator    TEXT NOT NULL,
  written_at  BIGINT NOT NULL,
  files       BLOB NOT NULL                -- name of a file -> its text before and after, MessagePack
);
CREATE INDEX studio_write_by_brand ON studio_write (brand, written_at, id);
