-- Backups of clusters as evidence, what people and updates ask for about them, and when to look again.

CREATE TABLE backups (
  id          text        NOT NULL,
  -- No foreign key: where the stored data lies must be known also after a cluster's record is gone.
  cluster_id  text        NOT NULL,
  provider    text        NOT NULL,
  state       text        NOT NULL,
  trigger     text        NOT NULL,
  actor       text        NOT NULL,
  update_id   text,
  commit      text,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz,
  -- When the provider deletes it by itself.
  expires_at  timestamptz,
  location    text        NOT NULL,
  size_bytes  bigint,
  sha256      text,
  -- Of etcd, 64 bits wide: text.
  revision    text,
  -- Of etcd: names and peer URLs, which a restore needs.
  members     jsonb,
  items       bigint,
  message     text        NOT NULL,
  verified_at timestamptz,
  drill       jsonb,
  exception   jsonb,
  CONSTRAINT backups_pkey PRIMARY KEY (id),
  CONSTRAINT backups_provider_check CHECK (provider IN ('etcd', 'velero', 'resources')),
  CONSTRAINT backups_state_check CHECK (state IN ('running', 'good', 'partial', 'failed', 'damaged', 'deleting', 'expired')),
  -- What opens a gate says what it is.
  CONSTRAINT backups_good_check CHECK (state <> 'good' OR (finished_at IS NOT NULL AND items IS NOT NULL))
);
CREATE INDEX backups_cluster_idx ON backups (cluster_id, started_at DESC);

CREATE TABLE backup_requests (
  id           text        NOT NULL,
  cluster_id   text        NOT NULL,
  kind         text        NOT NULL,
  providers    jsonb       NOT NULL,
  backup_id    text,
  update_id    text,
  trigger      text        NOT NULL,
  actor        text        NOT NULL,
  reason       text        NOT NULL,
  requested_at timestamptz NOT NULL,
  settled_at   timestamptz,
  result       text,
  CONSTRAINT backup_requests_pkey PRIMARY KEY (id),
  CONSTRAINT backup_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE,
  CONSTRAINT backup_requests_kind_check CHECK (kind IN ('create', 'verify', 'drill'))
);
CREATE INDEX backup_requests_open_idx ON backup_requests (cluster_id, requested_at) WHERE settled_at IS NULL;

CREATE TABLE backup_schedules (
  cluster_id  text        NOT NULL,
  providers   jsonb       NOT NULL,
  problem     text,
  next_due_at timestamptz NOT NULL,
  CONSTRAINT backup_schedules_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT backup_schedules_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);
CREATE INDEX backup_schedules_due_idx ON backup_schedules (next_due_at);
