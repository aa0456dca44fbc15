-- What the manifests and prune steps find in clusters, and what people ask them to do about it.

-- Content of an object in Git and in the cluster when they last were the same; see InventoryEntry.confirmed.
ALTER TABLE inventory ADD COLUMN confirmed text;

CREATE TABLE drift_findings (
  cluster_id    text        NOT NULL,
  -- `apps/Deployment kube-system/coredns`
  ref_key       text        NOT NULL,
  -- Empty: the whole object.
  path          text        NOT NULL,
  ref           jsonb       NOT NULL,
  component     text        NOT NULL,
  segments      jsonb       NOT NULL,
  change        text        NOT NULL,
  before        text,
  after         text,
  manager       text,
  managed_since timestamptz,
  state         text        NOT NULL,
  basis         text        NOT NULL,
  first_seen    timestamptz NOT NULL,
  last_seen     timestamptz NOT NULL,
  corrections   jsonb       NOT NULL DEFAULT '[]',
  CONSTRAINT drift_findings_pkey PRIMARY KEY (cluster_id, ref_key, path),
  CONSTRAINT drift_findings_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE,
  CONSTRAINT drift_findings_change_check CHECK (change IN ('add', 'remove', 'change')),
  CONSTRAINT drift_findings_state_check CHECK (state IN ('open', 'accepted', 'fight', 'corrected'))
);

CREATE TABLE prune_states (
  cluster_id  text        NOT NULL,
  digest      text        NOT NULL,
  decided_at  timestamptz NOT NULL,
  kept        jsonb       NOT NULL,
  confirmable integer     NOT NULL,
  CONSTRAINT prune_states_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT prune_states_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);

CREATE TABLE manifest_requests (
  id           text        NOT NULL,
  cluster_id   text        NOT NULL,
  kind         text        NOT NULL,
  ref_key      text,
  path         text,
  digest       text,
  actor        text        NOT NULL,
  reason       text        NOT NULL,
  requested_at timestamptz NOT NULL,
  settled_at   timestamptz,
  result       text,
  CONSTRAINT manifest_requests_pkey PRIMARY KEY (id),
  CONSTRAINT manifest_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE,
  CONSTRAINT manifest_requests_kind_check CHECK (kind IN ('accept-drift', 'correct-drift', 'confirm-prune'))
);
CREATE INDEX manifest_requests_open_idx ON manifest_requests (cluster_id, requested_at) WHERE settled_at IS NULL;
