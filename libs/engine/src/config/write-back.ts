import { digestOfValue, fail, minutes, toFailure, type Failure } from '#kernel';
import { problemOf, type Channel } from '#fleet';
import { clusterFileText, type ExplainedItem, type Written } from '#config';
import type { PassFrame } from '../pass/run-pass.js';
import type { Rendered } from '../render/render-service.js';

/** Config item that keeps a cluster's record in Git too. Source: design, config.md, "Layout". */
const WRITE_BACK_ITEM = 'write_back';
/** Memory key of {@link LastWrite}. */
const WRITTEN = 'write-back';
/** How often a head that moved meanwhile is taken up anew within one pass. */
const ATTEMPTS = 5;
const AGAIN_IN = minutes(1);

interface LastWrite extends Written {
  /** Of what was written; equal, nothing is looked at. */
  readonly digest: string;
}

/**
 * Commits the record to `clusters/<alias>.yaml` of its channel's branch when the record has changed since it was last
 * written. What is written says what the registry says, so the revision that it makes changes nothing for anybody.
 * Trouble is shown and tried again; it stops no update.
 */
export async function writeBack(
  frame: PassFrame,
  rendered: Extract<Rendered, { kind: 'valid' }>,
): Promise<void> {
  const items = await rendered.explain();
  if (items.find(({ key }) => key === WRITE_BACK_ITEM)?.value !== 'true') return;
  const { cluster } = frame;
  const before = lastWrite(frame.memory.get(WRITTEN));
  const digest = digestOfValue([cluster.channel, cluster.alias, cluster.configItems, cluster.nodePools]);
  if (before?.digest === digest) return;
  try {
    const written = await write(frame, sensitiveKeys(items), before);
    frame.memory.set(WRITTEN, { ...written, digest } satisfies LastWrite);
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === 'lease-lost' || failure.class === 'bug') throw thrown;
    notWritten(frame, failure);
  }
}

const sensitiveKeys = (items: readonly ExplainedItem[]): ReadonlySet<string> =>
  new Set(items.filter(({ sensitive }) => sensitive).map(({ key }) => key));

async function write(
  frame: PassFrame,
  secret: ReadonlySet<string>,
  before: LastWrite | undefined,
): Promise<Written> {
  const { git, channels } = frame.parts.ports;
  const { cluster } = frame;
  const channel = (await channels.listChannels()).find(({ name }) => name === cluster.channel);
  if (!channel) return refuse('write-back-channel', `channel ${cluster.channel} is not configured`);
  const path = `clusters/${cluster.alias}.yaml`;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const head = (await git.fetch(channel.repository)).get(channel.branch);
    if (head === undefined) return refuse('write-back-branch', `branch ${channel.branch} does not exist`);
    const present = await git.readFile(channel.repository, head, path);
    const made = clusterFileText(present, { cluster, sensitive: secret, ...(before && { before }) });
    if (!made) return refuse('write-back-file', `${path} is no file of config_items and node_pools`);
    if (made.text === present || (await push(frame, channel, head, { path, text: made.text })))
      return made.written;
  }
  return refuse('write-back-moved', `branch ${channel.branch} moved ${ATTEMPTS} times meanwhile`, 'conflict');
}

/** False: the branch has moved. */
async function push(
  frame: PassFrame,
  channel: Channel,
  head: string,
  file: { readonly path: string; readonly text: string },
): Promise<boolean> {
  const { git, configs, clock, doorbell } = frame.parts.ports;
  const { cluster, lease, report } = frame;
  const author = (await configs.lastRecordActor(cluster.id)) ?? 'Fairway';
  await lease.current();
  const note = { message: `${cluster.alias}: as registered by ${author}`, at: clock.now(), author };
  const result = await git.writeFile(channel.repository, channel.branch, file, head, note);
  if (result.kind !== 'advanced' && result.kind !== 'already') return false;
  report.events.push({
    type: 'cluster.written-back',
    at: note.at,
    severity: 'info',
    subject: `cluster/${cluster.id}`,
    channel: channel.name,
    clusterId: cluster.id,
    message: `the record of ${author} is in ${file.path} on ${channel.branch} (${result.commit.slice(0, 10)})`,
    data: { commit: result.commit, file: file.path },
  });
  await doorbell.ring(`repository/${channel.repository}`).catch(() => undefined);
  return true;
}

function notWritten(frame: PassFrame, failure: Failure): void {
  const { cluster, report, parts } = frame;
  const message = `the record could not be written back to Git: ${failure.message}`;
  report.problems.push(problemOf({ ...failure, message }, `cluster/${cluster.id}`, 'warning'));
  report.lookAgainAt = Math.min(report.lookAgainAt ?? Infinity, parts.ports.clock.now() + AGAIN_IN);
}

const HINTS = {
  'write-back-channel': 'Give the cluster one of the configured channels.',
  'write-back-branch': 'Push the branch; the record is written when it is there.',
  'write-back-file': 'Mend the file, or delete it: it is written anew.',
  'write-back-moved': 'It is tried again by itself.',
} as const;

const refuse = (code: keyof typeof HINTS, message: string, kind: Failure['class'] = 'invalid'): never =>
  fail({ class: kind, code, message, hint: HINTS[code] });

function lastWrite(value: unknown): LastWrite | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { digest, keys, pools } = value as Partial<LastWrite>;
  return typeof digest === 'string' && Array.isArray(keys) && Array.isArray(pools)
    ? { digest, keys, pools }
    : undefined;
}
