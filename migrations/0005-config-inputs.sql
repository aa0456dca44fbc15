-- What renders are made from beside Git and the registry: the locked inputs of clusters and requests to look them up
-- anew, overrides of config items, and the effective items of the last render for people.

CREATE TABLE input_locks (
  cluster_id text        NOT NULL,
  version    integer     NOT NULL,
  digest     text        NOT NULL,
  -- Without decrypted values and without outputs of stacks, which are observed.
  inputs     jsonb       NOT NULL,
  reason     text        NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT input_locks_pkey PRIMARY KEY (cluster_id, version),
  CONSTRAINT input_locks_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);

INSERT INTO input_locks (cluster_id, version, digest, inputs, reason, created_at)
SELECT cluster_id, 1, inputs->>'digest', inputs - 'clusterStackOutputs', 'taken over from the last render', now()
  FROM cluster_runtimes WHERE inputs IS NOT NULL;

CREATE TABLE inputs_requests (
  id           text        NOT NULL,
  cluster_id   text        NOT NULL,
  actor        text        NOT NULL,
  reason       text        NOT NULL,
  requested_at timestamptz NOT NULL,
  settled_at   timestamptz,
  result       text,
  CONSTRAINT inputs_requests_pkey PRIMARY KEY (id),
  CONSTRAINT inputs_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);
CREATE INDEX inputs_requests_open_idx ON inputs_requests (cluster_id, requested_at) WHERE settled_at IS NULL;

CREATE TABLE config_overrides (
  id         text        NOT NULL,
  cluster_id text        NOT NULL,
  key        text        NOT NULL,
  value      text        NOT NULL,
  reason     text        NOT NULL,
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at   timestamptz,
  ended_by   text,
  CONSTRAINT config_overrides_pkey PRIMARY KEY (id),
  CONSTRAINT config_overrides_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX config_overrides_open_idx ON config_overrides (cluster_id, key) WHERE ended_at IS NULL;

CREATE TABLE effective_configs (
  cluster_id  text        NOT NULL,
  digest      text        NOT NULL,
  commit      text        NOT NULL,
  -- Sensitive values are masked.
  items       jsonb       NOT NULL,
  rendered_at timestamptz NOT NULL,
  CONSTRAINT effective_configs_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT effective_configs_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);

-- Who changed a record last is the author of what is written back to Git.
CREATE INDEX audit_log_subject_idx ON audit_log (subject, id DESC);
