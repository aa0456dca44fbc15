-- What the migrations lead to. Made by test/contract/stores-schema.spec.ts with UPDATE_GOLDEN=1; not for editing.

CREATE SEQUENCE lease_token_seq AS bigint;

CREATE OR REPLACE FUNCTION public.audit_log_is_append_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
END $function$;

CREATE OR REPLACE FUNCTION public.events_in_commit_order()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM pg_advisory_xact_lock(7020102);
  PERFORM pg_notify('fairway_events', '');
  RETURN NULL;
END $function$;

CREATE TABLE api_tokens (
  id text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  hash text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
  CONSTRAINT api_tokens_hash_key UNIQUE (hash),
  CONSTRAINT api_tokens_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'approver'::text, 'admin'::text])))
);

CREATE TABLE approvals (
  id text NOT NULL,
  channel text NOT NULL,
  revision_id text NOT NULL,
  tree_digest text NOT NULL,
  evidence_digest text,
  decision text NOT NULL,
  by text NOT NULL,
  roles jsonb NOT NULL,
  reason text,
  at timestamp with time zone NOT NULL,
  CONSTRAINT approvals_pkey PRIMARY KEY (id),
  CONSTRAINT approvals_decision_check CHECK ((decision = ANY (ARRAY['approve'::text, 'reject'::text])))
);

CREATE INDEX approvals_content_idx ON public.approvals USING btree (channel, tree_digest, at);

CREATE TABLE audit_log (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at timestamp with time zone NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  reason text,
  data jsonb NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);

CREATE INDEX audit_log_subject_idx ON public.audit_log USING btree (subject, id DESC);

CREATE TRIGGER audit_log_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

CREATE TABLE backup_requests (
  id text NOT NULL,
  cluster_id text NOT NULL,
  kind text NOT NULL,
  providers jsonb NOT NULL,
  backup_id text,
  update_id text,
  trigger text NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  result text,
  CONSTRAINT backup_requests_pkey PRIMARY KEY (id),
  CONSTRAINT backup_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT backup_requests_kind_check CHECK ((kind = ANY (ARRAY['create'::text, 'verify'::text, 'drill'::text])))
);

CREATE INDEX backup_requests_open_idx ON public.backup_requests USING btree (cluster_id, requested_at) WHERE (settled_at IS NULL);

CREATE TABLE backup_schedules (
  cluster_id text NOT NULL,
  providers jsonb NOT NULL,
  problem text,
  next_due_at timestamp with time zone NOT NULL,
  CONSTRAINT backup_schedules_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT backup_schedules_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE INDEX backup_schedules_due_idx ON public.backup_schedules USING btree (next_due_at);

CREATE TABLE backups (
  id text NOT NULL,
  cluster_id text NOT NULL,
  provider text NOT NULL,
  state text NOT NULL,
  trigger text NOT NULL,
  actor text NOT NULL,
  update_id text,
  commit text,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  expires_at timestamp with time zone,
  location text NOT NULL,
  size_bytes bigint,
  sha256 text,
  revision text,
  members jsonb,
  items bigint,
  message text NOT NULL,
  verified_at timestamp with time zone,
  drill jsonb,
  exception jsonb,
  CONSTRAINT backups_pkey PRIMARY KEY (id),
  CONSTRAINT backups_good_check CHECK (((state <> 'good'::text) OR ((finished_at IS NOT NULL) AND (items IS NOT NULL)))),
  CONSTRAINT backups_provider_check CHECK ((provider = ANY (ARRAY['etcd'::text, 'velero'::text, 'resources'::text]))),
  CONSTRAINT backups_state_check CHECK ((state = ANY (ARRAY['running'::text, 'good'::text, 'partial'::text, 'failed'::text, 'damaged'::text, 'deleting'::text, 'expired'::text])))
);

CREATE INDEX backups_cluster_idx ON public.backups USING btree (cluster_id, started_at DESC);

CREATE TABLE broken_glass (
  id text NOT NULL,
  channel text NOT NULL,
  revision_id text NOT NULL,
  tree_digest text NOT NULL,
  by text NOT NULL,
  reason text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT broken_glass_pkey PRIMARY KEY (id)
);

CREATE INDEX broken_glass_content_idx ON public.broken_glass USING btree (channel, tree_digest, created_at DESC);

CREATE TABLE channel_policies (
  channel text NOT NULL,
  commit text NOT NULL,
  policy jsonb,
  problem jsonb,
  read_at timestamp with time zone NOT NULL,
  CONSTRAINT channel_policies_pkey PRIMARY KEY (channel),
  CONSTRAINT channel_policies_channel_fkey FOREIGN KEY (channel) REFERENCES channels(name) ON DELETE CASCADE
);

CREATE TABLE channel_requests (
  id text NOT NULL,
  kind text NOT NULL,
  channel text NOT NULL,
  revision_id text NOT NULL,
  cluster_id text,
  by text NOT NULL,
  reason text NOT NULL,
  state text NOT NULL,
  message text,
  created_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  CONSTRAINT channel_requests_pkey PRIMARY KEY (id),
  CONSTRAINT channel_requests_kind_check CHECK ((kind = ANY (ARRAY['promote'::text, 'rollback'::text, 'rollback-cluster'::text]))),
  CONSTRAINT channel_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'done'::text, 'refused'::text])))
);

CREATE INDEX channel_requests_channel_idx ON public.channel_requests USING btree (channel, created_at DESC);

CREATE INDEX channel_requests_open_idx ON public.channel_requests USING btree (channel, created_at) WHERE (state = 'open'::text);

CREATE TABLE channel_revisions (
  channel text NOT NULL,
  revision_id text NOT NULL,
  phase text NOT NULL,
  wave integer NOT NULL,
  waves integer NOT NULL,
  entered_at timestamp with time zone NOT NULL,
  converged_at timestamp with time zone,
  verified_at timestamp with time zone,
  soaking_since timestamp with time zone,
  promoted_at timestamp with time zone,
  admitted boolean NOT NULL,
  reasons jsonb NOT NULL DEFAULT '[]'::jsonb,
  entry bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  soak jsonb,
  expedited boolean,
  CONSTRAINT channel_revisions_pkey PRIMARY KEY (channel, revision_id),
  CONSTRAINT channel_revisions_channel_fkey FOREIGN KEY (channel) REFERENCES channels(name) ON DELETE CASCADE,
  CONSTRAINT channel_revisions_revision_fkey FOREIGN KEY (revision_id) REFERENCES revisions(id)
);

CREATE INDEX channel_revisions_entry_idx ON public.channel_revisions USING btree (channel, entry DESC);

CREATE TABLE channels (
  name text NOT NULL,
  repository text NOT NULL,
  branch text NOT NULL,
  from_channel text,
  position integer NOT NULL,
  head_commit text,
  head_revision_id text,
  paused_reason text,
  CONSTRAINT channels_pkey PRIMARY KEY (name),
  CONSTRAINT channels_repository_fkey FOREIGN KEY (repository) REFERENCES repositories(url)
);

CREATE INDEX channels_repository_idx ON public.channels USING btree (repository);

CREATE TABLE cluster_runtimes (
  cluster_id text NOT NULL,
  status jsonb,
  admitted_revision_id text,
  next_due_at timestamp with time zone,
  due_priority smallint NOT NULL DEFAULT 30,
  doorbell bigint NOT NULL DEFAULT 0,
  memory jsonb NOT NULL DEFAULT '{}'::jsonb,
  inputs jsonb,
  reported_status jsonb,
  CONSTRAINT cluster_runtimes_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT cluster_runtimes_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
) WITH (fillfactor=70);

CREATE INDEX cluster_runtimes_due_idx ON public.cluster_runtimes USING btree (due_priority, next_due_at) WHERE (next_due_at IS NOT NULL);

CREATE TABLE clusters (
  id text NOT NULL,
  alias text NOT NULL,
  infrastructure_account text NOT NULL,
  region text NOT NULL,
  local_id text NOT NULL,
  provider text NOT NULL,
  api_server_url text NOT NULL,
  channel text NOT NULL,
  environment text NOT NULL,
  criticality_level integer NOT NULL,
  lifecycle_status text NOT NULL,
  config_items jsonb NOT NULL DEFAULT '{}'::jsonb,
  record_version integer NOT NULL DEFAULT 1,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT clusters_pkey PRIMARY KEY (id),
  CONSTRAINT clusters_alias_key UNIQUE (alias),
  CONSTRAINT clusters_account_fkey FOREIGN KEY (infrastructure_account) REFERENCES infrastructure_accounts(id),
  CONSTRAINT clusters_lifecycle_check CHECK ((lifecycle_status = ANY (ARRAY['requested'::text, 'creating'::text, 'ready'::text, 'decommission-requested'::text, 'decommissioned'::text])))
);

CREATE INDEX clusters_account_idx ON public.clusters USING btree (infrastructure_account);

CREATE INDEX clusters_channel_idx ON public.clusters USING btree (channel);

CREATE TABLE config_overrides (
  id text NOT NULL,
  cluster_id text NOT NULL,
  key text NOT NULL,
  value text NOT NULL,
  reason text NOT NULL,
  created_by text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  ended_by text,
  CONSTRAINT config_overrides_pkey PRIMARY KEY (id),
  CONSTRAINT config_overrides_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX config_overrides_open_idx ON public.config_overrides USING btree (cluster_id, key) WHERE (ended_at IS NULL);

CREATE TABLE conformance_logs (
  run_id text NOT NULL,
  text text NOT NULL,
  dropped bigint NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT conformance_logs_pkey PRIMARY KEY (run_id),
  CONSTRAINT conformance_logs_run_fkey FOREIGN KEY (run_id) REFERENCES conformance_runs(id) ON DELETE CASCADE
);

CREATE INDEX conformance_logs_updated_idx ON public.conformance_logs USING btree (updated_at);

CREATE TABLE conformance_runs (
  id text NOT NULL,
  channel text NOT NULL,
  cluster_id text NOT NULL,
  suite text NOT NULL,
  revision_id text NOT NULL,
  commit text NOT NULL,
  tree_digest text NOT NULL,
  desired_digest text NOT NULL,
  attempt integer NOT NULL,
  state text NOT NULL,
  server_version text,
  verdict text,
  reason text,
  executed integer,
  failed_tests jsonb NOT NULL DEFAULT '[]'::jsonb,
  message text,
  created_at timestamp with time zone NOT NULL,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  CONSTRAINT conformance_runs_pkey PRIMARY KEY (id),
  CONSTRAINT conformance_runs_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'finished'::text]))),
  CONSTRAINT conformance_runs_verdict_check CHECK ((verdict = ANY (ARRAY['pass'::text, 'fail'::text, 'inconclusive'::text])))
);

CREATE INDEX conformance_runs_channel_idx ON public.conformance_runs USING btree (channel, created_at DESC);

CREATE INDEX conformance_runs_cluster_idx ON public.conformance_runs USING btree (cluster_id, created_at DESC);

CREATE INDEX conformance_runs_tree_idx ON public.conformance_runs USING btree (tree_digest);

CREATE INDEX conformance_runs_unfinished_idx ON public.conformance_runs USING btree (cluster_id) WHERE (state <> 'finished'::text);

CREATE TABLE drift_findings (
  cluster_id text NOT NULL,
  ref_key text NOT NULL,
  path text NOT NULL,
  ref jsonb NOT NULL,
  component text NOT NULL,
  segments jsonb NOT NULL,
  change text NOT NULL,
  before text,
  after text,
  manager text,
  managed_since timestamp with time zone,
  state text NOT NULL,
  basis text NOT NULL,
  first_seen timestamp with time zone NOT NULL,
  last_seen timestamp with time zone NOT NULL,
  corrections jsonb NOT NULL DEFAULT '[]'::jsonb,
  CONSTRAINT drift_findings_pkey PRIMARY KEY (cluster_id, ref_key, path),
  CONSTRAINT drift_findings_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT drift_findings_change_check CHECK ((change = ANY (ARRAY['add'::text, 'remove'::text, 'change'::text]))),
  CONSTRAINT drift_findings_state_check CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'fight'::text, 'corrected'::text])))
);

CREATE TABLE effective_configs (
  cluster_id text NOT NULL,
  digest text NOT NULL,
  commit text NOT NULL,
  items jsonb NOT NULL,
  rendered_at timestamp with time zone NOT NULL,
  CONSTRAINT effective_configs_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT effective_configs_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE TABLE events (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  type text NOT NULL,
  at timestamp with time zone NOT NULL,
  severity text NOT NULL,
  subject text NOT NULL,
  channel text,
  cluster_id text,
  message text NOT NULL,
  data jsonb NOT NULL,
  dedupe_key text,
  CONSTRAINT events_pkey PRIMARY KEY (id),
  CONSTRAINT events_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text, 'critical'::text])))
);

CREATE INDEX events_channel_idx ON public.events USING btree (channel, id);

CREATE INDEX events_cluster_idx ON public.events USING btree (cluster_id, id);

CREATE TRIGGER events_in_commit_order BEFORE INSERT ON public.events FOR EACH STATEMENT EXECUTE FUNCTION events_in_commit_order();

CREATE TABLE gate_answers (
  channel text NOT NULL,
  gate text NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  message text NOT NULL,
  by text NOT NULL,
  at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  tree_digest text,
  CONSTRAINT gate_answers_pkey PRIMARY KEY (channel, gate, name),
  CONSTRAINT gate_answers_gate_check CHECK ((gate = ANY (ARRAY['health'::text, 'preflight'::text, 'backup'::text]))),
  CONSTRAINT gate_answers_state_check CHECK ((state = ANY (ARRAY['pass'::text, 'fail'::text, 'pending'::text, 'error'::text])))
);

CREATE TABLE holds (
  id text NOT NULL,
  scope_kind text NOT NULL,
  channel text,
  cluster_id text,
  pool text,
  reason text NOT NULL,
  owner text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  released_at timestamp with time zone,
  released_by text,
  blocks text,
  CONSTRAINT holds_pkey PRIMARY KEY (id),
  CONSTRAINT holds_blocks_check CHECK ((blocks = 'promotion'::text)),
  CONSTRAINT holds_scope_check CHECK (
CASE scope_kind
    WHEN 'fleet'::text THEN ((channel IS NULL) AND (cluster_id IS NULL) AND (pool IS NULL))
    WHEN 'channel'::text THEN ((channel IS NOT NULL) AND (cluster_id IS NULL) AND (pool IS NULL))
    WHEN 'cluster'::text THEN ((channel IS NULL) AND (cluster_id IS NOT NULL) AND (pool IS NULL))
    WHEN 'pool'::text THEN ((channel IS NULL) AND (cluster_id IS NOT NULL) AND (pool IS NOT NULL))
    ELSE false
END)
);

CREATE INDEX holds_active_idx ON public.holds USING btree (created_at) WHERE (released_at IS NULL);

CREATE TABLE infrastructure_accounts (
  id text NOT NULL,
  type text NOT NULL,
  name text NOT NULL,
  owner text NOT NULL,
  cost_center text NOT NULL,
  environment text NOT NULL,
  criticality_level integer NOT NULL,
  external_id text NOT NULL,
  lifecycle_status text NOT NULL,
  record_version integer NOT NULL DEFAULT 1,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT infrastructure_accounts_pkey PRIMARY KEY (id),
  CONSTRAINT infrastructure_accounts_lifecycle_check CHECK ((lifecycle_status = ANY (ARRAY['requested'::text, 'creating'::text, 'ready'::text, 'decommissioned'::text])))
);

CREATE TABLE input_locks (
  cluster_id text NOT NULL,
  version integer NOT NULL,
  digest text NOT NULL,
  inputs jsonb NOT NULL,
  reason text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT input_locks_pkey PRIMARY KEY (cluster_id, version),
  CONSTRAINT input_locks_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE TABLE inputs_requests (
  id text NOT NULL,
  cluster_id text NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  result text,
  CONSTRAINT inputs_requests_pkey PRIMARY KEY (id),
  CONSTRAINT inputs_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE INDEX inputs_requests_open_idx ON public.inputs_requests USING btree (cluster_id, requested_at) WHERE (settled_at IS NULL);

CREATE TABLE inspections (
  id text NOT NULL,
  cluster_id text NOT NULL,
  kind text NOT NULL,
  target text,
  actor text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  report jsonb,
  failure jsonb,
  CONSTRAINT inspections_pkey PRIMARY KEY (id),
  CONSTRAINT inspections_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT inspections_kind_check CHECK ((kind = ANY (ARRAY['doctor'::text, 'upgrade-plan'::text])))
);

CREATE INDEX inspections_cluster_idx ON public.inspections USING btree (cluster_id, kind, requested_at DESC);

CREATE INDEX inspections_open_idx ON public.inspections USING btree (requested_at) WHERE (finished_at IS NULL);

CREATE TABLE intents (
  id text NOT NULL,
  update_id text NOT NULL,
  cluster_id text NOT NULL,
  step text NOT NULL,
  target text NOT NULL,
  verb text NOT NULL,
  generation integer NOT NULL,
  data jsonb NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  result text,
  ordinal bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  CONSTRAINT intents_pkey PRIMARY KEY (id),
  CONSTRAINT intents_write_key UNIQUE (update_id, step, target, verb, generation),
  CONSTRAINT intents_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT intents_update_fkey FOREIGN KEY (update_id) REFERENCES updates(id) ON DELETE CASCADE
);

CREATE INDEX intents_cluster_idx ON public.intents USING btree (cluster_id);

CREATE UNIQUE INDEX intents_open_write_key ON public.intents USING btree (update_id, step, target, verb) WHERE (settled_at IS NULL);

CREATE INDEX intents_unsettled_idx ON public.intents USING btree (cluster_id) WHERE (settled_at IS NULL);

CREATE TABLE inventory (
  cluster_id text NOT NULL,
  ref_key text NOT NULL,
  ref jsonb NOT NULL,
  uid text,
  component text NOT NULL,
  confirmed text,
  CONSTRAINT inventory_pkey PRIMARY KEY (cluster_id, ref_key),
  CONSTRAINT inventory_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE TABLE leases (
  name text NOT NULL,
  token bigint NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  CONSTRAINT leases_pkey PRIMARY KEY (name)
);

CREATE TABLE manifest_requests (
  id text NOT NULL,
  cluster_id text NOT NULL,
  kind text NOT NULL,
  ref_key text,
  path text,
  digest text,
  actor text NOT NULL,
  reason text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  result text,
  CONSTRAINT manifest_requests_pkey PRIMARY KEY (id),
  CONSTRAINT manifest_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT manifest_requests_kind_check CHECK ((kind = ANY (ARRAY['accept-drift'::text, 'correct-drift'::text, 'confirm-prune'::text, 'look'::text])))
);

CREATE INDEX manifest_requests_open_idx ON public.manifest_requests USING btree (cluster_id, requested_at) WHERE (settled_at IS NULL);

CREATE TABLE node_pools (
  cluster_id text NOT NULL,
  name text NOT NULL,
  profile text NOT NULL,
  instance_types jsonb NOT NULL,
  discount_strategy text NOT NULL,
  min_size integer NOT NULL,
  max_size integer NOT NULL,
  config_items jsonb NOT NULL DEFAULT '{}'::jsonb,
  ordinal bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  CONSTRAINT node_pools_pkey PRIMARY KEY (cluster_id, name),
  CONSTRAINT node_pools_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE TABLE notification_bursts (
  route text NOT NULL,
  begun_at timestamp with time zone NOT NULL,
  told integer NOT NULL,
  CONSTRAINT notification_bursts_pkey PRIMARY KEY (route)
);

CREATE TABLE notification_flaps (
  scope text NOT NULL,
  dedupe_key text NOT NULL,
  begun_at timestamp with time zone NOT NULL,
  times integer NOT NULL,
  last_event_id bigint NOT NULL,
  quiet_until timestamp with time zone,
  CONSTRAINT notification_flaps_pkey PRIMARY KEY (scope, dedupe_key)
);

CREATE INDEX notification_flaps_quiet_idx ON public.notification_flaps USING btree (quiet_until) WHERE (quiet_until IS NOT NULL);

CREATE TABLE notification_routes (
  name text NOT NULL,
  disabled_at timestamp with time zone,
  disabled_reason text,
  CONSTRAINT notification_routes_pkey PRIMARY KEY (name)
);

CREATE TABLE notification_threads (
  route text NOT NULL,
  key text NOT NULL,
  reference jsonb NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  CONSTRAINT notification_threads_pkey PRIMARY KEY (route, key)
);

CREATE TABLE notified_keys (
  scope text NOT NULL,
  dedupe_key text NOT NULL,
  event_id bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  CONSTRAINT notified_keys_pkey PRIMARY KEY (scope, dedupe_key)
);

CREATE TABLE outbox_deliveries (
  id text NOT NULL,
  route text NOT NULL,
  event_id bigint NOT NULL,
  subject text NOT NULL,
  state text NOT NULL DEFAULT 'pending'::text,
  attempt integer NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL,
  claimed_until timestamp with time zone,
  settled_at timestamp with time zone,
  status integer,
  reason text,
  CONSTRAINT outbox_deliveries_pkey PRIMARY KEY (id),
  CONSTRAINT outbox_deliveries_event_fkey FOREIGN KEY (event_id) REFERENCES events(id),
  CONSTRAINT outbox_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text])))
);

CREATE INDEX outbox_due_idx ON public.outbox_deliveries USING btree (due_at, event_id) WHERE (state = 'pending'::text);

CREATE INDEX outbox_event_idx ON public.outbox_deliveries USING btree (event_id);

CREATE INDEX outbox_order_idx ON public.outbox_deliveries USING btree (route, subject, event_id) WHERE (state = 'pending'::text);

CREATE TABLE problems (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  subject text NOT NULL,
  fingerprint text NOT NULL,
  type text NOT NULL,
  title text NOT NULL,
  status integer,
  detail text,
  instance text,
  hint text,
  severity text NOT NULL,
  first_seen timestamp with time zone NOT NULL,
  last_seen timestamp with time zone NOT NULL,
  resolved_at timestamp with time zone,
  CONSTRAINT problems_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX problems_open_key ON public.problems USING btree (subject, fingerprint) WHERE (resolved_at IS NULL);

CREATE INDEX problems_recent_idx ON public.problems USING btree (last_seen DESC);

CREATE TABLE promotions (
  id text NOT NULL,
  revision_id text NOT NULL,
  from_channel text NOT NULL,
  to_channel text NOT NULL,
  expected_commit text,
  state text NOT NULL,
  reason text,
  evidence jsonb NOT NULL DEFAULT '[]'::jsonb,
  created_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  kind text,
  result_commit text,
  requested_by text,
  CONSTRAINT promotions_pkey PRIMARY KEY (id),
  CONSTRAINT promotions_kind_check CHECK ((kind = ANY (ARRAY['promote'::text, 'rollback'::text]))),
  CONSTRAINT promotions_state_check CHECK ((state = ANY (ARRAY['intended'::text, 'done'::text, 'refused'::text])))
);

CREATE INDEX promotions_created_idx ON public.promotions USING btree (created_at DESC);

CREATE INDEX promotions_target_idx ON public.promotions USING btree (to_channel, state);

CREATE TABLE prune_states (
  cluster_id text NOT NULL,
  digest text NOT NULL,
  decided_at timestamp with time zone NOT NULL,
  kept jsonb NOT NULL,
  confirmable integer NOT NULL,
  CONSTRAINT prune_states_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT prune_states_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE
);

CREATE TABLE repositories (
  url text NOT NULL,
  last_fetch_at timestamp with time zone,
  last_success_at timestamp with time zone,
  problem jsonb,
  CONSTRAINT repositories_pkey PRIMARY KEY (url)
);

CREATE TABLE revisions (
  id text NOT NULL,
  repository text NOT NULL,
  commit text NOT NULL,
  tree_digest text NOT NULL,
  author text NOT NULL,
  subject text NOT NULL,
  committed_at text NOT NULL,
  CONSTRAINT revisions_pkey PRIMARY KEY (id),
  CONSTRAINT revisions_commit_key UNIQUE (repository, commit)
);

CREATE INDEX revisions_tree_idx ON public.revisions USING btree (tree_digest);

CREATE TABLE roll_requests (
  id text NOT NULL,
  cluster_id text NOT NULL,
  kind text NOT NULL,
  update_id text NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL,
  requested_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  result text,
  CONSTRAINT roll_requests_pkey PRIMARY KEY (id),
  CONSTRAINT roll_requests_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT roll_requests_kind_check CHECK ((kind = ANY (ARRAY['resume'::text, 'abort'::text])))
);

CREATE INDEX roll_requests_open_idx ON public.roll_requests USING btree (cluster_id, requested_at) WHERE (settled_at IS NULL);

CREATE TABLE updates (
  id text NOT NULL,
  cluster_id text NOT NULL,
  kind text NOT NULL,
  revision_id text,
  commit text,
  desired_digest text,
  state text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  plan jsonb,
  CONSTRAINT updates_pkey PRIMARY KEY (id),
  CONSTRAINT updates_cluster_fkey FOREIGN KEY (cluster_id) REFERENCES clusters(id) ON DELETE CASCADE,
  CONSTRAINT updates_kind_check CHECK ((kind = ANY (ARRAY['update'::text, 'decommission'::text]))),
  CONSTRAINT updates_state_check CHECK ((state = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'superseded'::text, 'halted'::text])))
);

CREATE INDEX updates_cluster_idx ON public.updates USING btree (cluster_id, started_at DESC);

CREATE UNIQUE INDEX updates_one_open_key ON public.updates USING btree (cluster_id) WHERE (state = 'running'::text);
