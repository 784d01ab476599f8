-- A search by a part of a name, an address or an id reads the newest customers first.
CREATE INDEX customer_by_age ON customer (brand, created_at, id);
