-- What the customers of a brand did over time, counted without reading a row of the table.
CREATE INDEX activity_by_kind ON activity (brand, kind, at, customer_id);
