-- What people ask about a roll under way: to resume a halted one, to abort it.

CREATE TABLE roll_requests (
  id           text        NOT NULL,
  cluster_id   text        NOT NULL,
  kind         text        NOT NULL,
  update_id    text        NOT NULL,
  actor        text        NOT NULL,
  reason       text        NOT NULL,
  requested_at timestamptz NOT NULL,
  settled_at   timestamptz,
  result       text,
  CONSTRAINT roll_requests_pkey PRIMARY KEY (id),
  CONSTRAINT roll_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE,
  CONSTRAINT roll_requests_kind_check CHECK (kind IN ('resume', 'abort'))
);
CREATE INDEX roll_requests_open_idx ON roll_requests (cluster_id, requested_at) WHERE settled_at IS NULL;
