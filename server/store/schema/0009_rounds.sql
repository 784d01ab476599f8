-- When each step of the background work was last done by any process: this is how `/readyz` knows whether somebody works.
CREATE TABLE worker_round (
  step    TEXT PRIMARY KEY,
  done_at BIGINT NOT NULL,
  trouble TEXT NOT NULL                    -- what the step found to be wrong; '' when all is well
);
