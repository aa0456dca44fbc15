-- Answers bound to a content, the kept end of the logs of conformance runs, and what damps notifications.

-- Absent: the answer holds for any content.
ALTER TABLE gate_answers ADD COLUMN tree_digest text;

-- The end of what a run's tests printed, secrets masked; outlives the Job.
CREATE TABLE conformance_logs (
  run_id     text        NOT NULL,
  text       text        NOT NULL,
  -- Characters that stood before the text and are gone.
  dropped    bigint      NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT conformance_logs_pkey PRIMARY KEY (run_id),
  CONSTRAINT conformance_logs_run_fkey FOREIGN KEY (run_id) REFERENCES conformance_runs (id) ON DELETE CASCADE
);
CREATE INDEX conformance_logs_updated_idx ON conformance_logs (updated_at);

-- Trouble that comes and goes: told a few times, then only once it keeps still.
CREATE TABLE notification_flaps (
  scope         text        NOT NULL,
  dedupe_key    text        NOT NULL,
  begun_at      timestamptz NOT NULL,
  times         integer     NOT NULL,
  last_event_id bigint      NOT NULL,
  -- Set while it flaps: until then nothing is told; every change puts it off.
  quiet_until   timestamptz,
  CONSTRAINT notification_flaps_pkey PRIMARY KEY (scope, dedupe_key)
);
CREATE INDEX notification_flaps_quiet_idx ON notification_flaps (quiet_until) WHERE quiet_until IS NOT NULL;

-- How much a route that people read was told of late; what is too much waits and goes as one message.
CREATE TABLE notification_bursts (
  route    text        NOT NULL,
  begun_at timestamptz NOT NULL,
  told     integer     NOT NULL,
  CONSTRAINT notification_bursts_pkey PRIMARY KEY (route)
);
