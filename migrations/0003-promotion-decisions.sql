-- What people decide about promotions (approvals, broken glass, requests), what judges outside answer, the policies that
-- channels are judged by, soak that survives restarts and clocks, and where notifications stand.

ALTER TABLE channel_revisions
  ADD COLUMN soak jsonb,
  ADD COLUMN expedited boolean;

ALTER TABLE promotions
  ADD COLUMN kind text,
  ADD COLUMN result_commit text,
  ADD COLUMN requested_by text,
  ADD CONSTRAINT promotions_kind_check CHECK (kind IN ('promote', 'rollback'));

ALTER TABLE holds
  ADD COLUMN blocks text,
  ADD CONSTRAINT holds_blocks_check CHECK (blocks = 'promotion');

CREATE TABLE approvals (
  id              text        NOT NULL,
  channel         text        NOT NULL,
  revision_id     text        NOT NULL,
  tree_digest     text        NOT NULL,
  evidence_digest text,
  decision        text        NOT NULL,
  by              text        NOT NULL,
  roles           jsonb       NOT NULL,
  reason          text,
  at              timestamptz NOT NULL,
  CONSTRAINT approvals_pkey PRIMARY KEY (id),
  CONSTRAINT approvals_decision_check CHECK (decision IN ('approve', 'reject'))
);
CREATE INDEX approvals_content_idx ON approvals (channel, tree_digest, at);

CREATE TABLE broken_glass (
  id          text        NOT NULL,
  channel     text        NOT NULL,
  revision_id text        NOT NULL,
  tree_digest text        NOT NULL,
  by          text        NOT NULL,
  reason      text        NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT broken_glass_pkey PRIMARY KEY (id)
);
CREATE INDEX broken_glass_content_idx ON broken_glass (channel, tree_digest, created_at DESC);

CREATE TABLE channel_requests (
  id          text        NOT NULL,
  kind        text        NOT NULL,
  channel     text        NOT NULL,
  revision_id text        NOT NULL,
  cluster_id  text,
  by          text        NOT NULL,
  reason      text        NOT NULL,
  state       text        NOT NULL,
  message     text,
  created_at  timestamptz NOT NULL,
  settled_at  timestamptz,
  CONSTRAINT channel_requests_pkey PRIMARY KEY (id),
  CONSTRAINT channel_requests_kind_check CHECK (kind IN ('promote', 'rollback', 'rollback-cluster')),
  CONSTRAINT channel_requests_state_check CHECK (state IN ('open', 'done', 'refused'))
);
CREATE INDEX channel_requests_open_idx ON channel_requests (channel, created_at) WHERE state = 'open';
CREATE INDEX channel_requests_channel_idx ON channel_requests (channel, created_at DESC);

-- The newest answer of each check.
CREATE TABLE gate_answers (
  channel    text        NOT NULL,
  gate       text        NOT NULL,
  name       text        NOT NULL,
  state      text        NOT NULL,
  message    text        NOT NULL,
  by         text        NOT NULL,
  at         timestamptz NOT NULL,
  expires_at timestamptz,
  CONSTRAINT gate_answers_pkey PRIMARY KEY (channel, gate, name),
  CONSTRAINT gate_answers_gate_check CHECK (gate IN ('health', 'preflight', 'backup')),
  CONSTRAINT gate_answers_state_check CHECK (state IN ('pass', 'fail', 'pending', 'error'))
);

CREATE TABLE channel_policies (
  channel text        NOT NULL,
  commit  text        NOT NULL,
  policy  jsonb,
  problem jsonb,
  read_at timestamptz NOT NULL,
  CONSTRAINT channel_policies_pkey PRIMARY KEY (channel),
  CONSTRAINT channel_policies_channel_fkey FOREIGN KEY (channel) REFERENCES channels (name) ON DELETE CASCADE
);

-- The message that stands for a subject at a receiver, e.g. Slack's parent of a channel's revision.
CREATE TABLE notification_threads (
  route      text        NOT NULL,
  key        text        NOT NULL,
  reference  jsonb       NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT notification_threads_pkey PRIMARY KEY (route, key)
);
