-- The clean-up finds what is old without reading all there is.
CREATE INDEX session_by_sight ON session (last_seen_at);
CREATE INDEX event_by_making ON event (created_at);
