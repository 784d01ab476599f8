-- What an import brought, so that the same export again changes nothing that happened since.
CREATE TABLE imported (
  brand       TEXT NOT NULL,
  kind        TEXT NOT NULL,               -- customer, subscription, invoice, …
  id          TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  digest      BLOB NOT NULL,               -- of the record as it stood in the export
  PRIMARY KEY (brand, kind, id)
);
