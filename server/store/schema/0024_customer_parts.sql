-- Search by a part of a name, an address or an id: where every third byte of these begins what follows, folded
-- (store.customer_parts).
CREATE TABLE customer_part (
  brand       TEXT NOT NULL,
  part        BLOB NOT NULL,
  customer_id TEXT NOT NULL,
  PRIMARY KEY (brand, part, customer_id)
) WITHOUT ROWID;

-- The name and the address that a customer's parts were made of; NULL: none were made yet. By the index, whoever writes a
-- customer, also a version that knows of no parts, leaves a mark for the worker and for search in the same write.
ALTER TABLE customer ADD COLUMN indexed_name TEXT;
ALTER TABLE customer ADD COLUMN indexed_email TEXT;
CREATE INDEX customer_to_index ON customer (brand, id)
 WHERE indexed_name IS NULL OR indexed_name <> name OR indexed_email <> email;
