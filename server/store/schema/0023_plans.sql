-- Of many rows of a brand, only those that a statement asks for are read: the operations that are not over yet, a customer's
-- last event, copies that nobody wants any more.
CREATE INDEX operation_open ON operation (brand, created_at) WHERE state IN ('sent', 'unknown');
CREATE INDEX event_by_customer ON event (brand, customer_id, position);
CREATE INDEX stripe_copy_unwanted ON stripe_copy (brand, wanted_at);
