-- Looks at clusters that people ask for: doctor, and plans of upgrades.

CREATE TABLE inspections (
  id           text        NOT NULL,
  cluster_id   text        NOT NULL,
  kind         text        NOT NULL,
  target       text,
  actor        text        NOT NULL,
  requested_at timestamptz NOT NULL,
  finished_at  timestamptz,
  report       jsonb,
  failure      jsonb,
  CONSTRAINT inspections_pkey PRIMARY KEY (id),
  CONSTRAINT inspections_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) ON DELETE CASCADE,
  CONSTRAINT inspections_kind_check CHECK (kind IN ('doctor', 'upgrade-plan'))
);
CREATE INDEX inspections_open_idx ON inspections (requested_at) WHERE finished_at IS NULL;
CREATE INDEX inspections_cluster_idx ON inspections (cluster_id, kind, requested_at DESC);
