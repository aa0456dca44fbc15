import { fail, toFailure, type Failure } from '#kernel';
import { problemOf, type Channel, type FleetEvent } from '#fleet';
import type { GitPort, Lease, PromotionStorePort, StoredPolicy } from '#ports';
import { DEFAULT_POLICY, parsePolicy, type ChannelPolicy, type FleetPolicy } from '#promotion';
import type { EnginePorts } from '../engine-ports.js';

const POLICY_FILE = 'fairway.yaml';

/** Where the policy comes from by which a channel is judged: always its own head, so that no candidate lowers its gates. */
export interface PolicySource {
  /** Rejects with `policy-invalid` (class invalid) naming file and line. */
  policyOf(channel: Channel): Promise<FleetPolicy>;
}

/** Policies from channels' heads in Git: for the worker. */
export class PolicyReader implements PolicySource {
  private readonly cache = new Map<string, FleetPolicy>();

  constructor(private readonly git: GitPort) {}

  async policyOf(channel: Channel): Promise<FleetPolicy> {
    if (channel.headCommit === undefined) return DEFAULT_POLICY;
    const key = `${channel.repository}@${channel.headCommit}`;
    const known = this.cache.get(key);
    if (known) return known;
    const tree = await this.git.readTree(channel.repository, channel.headCommit);
    const policy = parse(tree.files.get(POLICY_FILE));
    if (this.cache.size > 100) this.cache.clear();
    this.cache.set(key, policy);
    return policy;
  }
}

/** Policies as a worker stored them: for whoever has no Git, so that the API judges by the very same words. */
export class StoredPolicies implements PolicySource {
  constructor(private readonly decisions: Pick<PromotionStorePort, 'policies'>) {}

  async policyOf(channel: Channel): Promise<FleetPolicy> {
    if (channel.headCommit === undefined) return DEFAULT_POLICY;
    const stored = (await this.decisions.policies()).find((one) => one.channel === channel.name);
    if (stored?.policy !== undefined && stored.commit === channel.headCommit)
      return stored.policy as FleetPolicy;
    const problem = stored?.commit === channel.headCommit ? stored.problem : undefined;
    return fail({
      class: problem ? 'invalid' : 'transient',
      code: problem ? 'policy-invalid' : 'policy-not-read',
      message: problem?.detail ?? `the policy of ${channel.name} was not read yet`,
      hint:
        problem?.hint ?? 'A worker reads it with its next look at the channel; try again in a few seconds.',
    });
  }
}

/** The part of a policy that is about one channel. */
export function channelPolicyOf(policy: FleetPolicy, channel: Pick<Channel, 'name'>): ChannelPolicy {
  const found = policy.channels.find((candidate) => candidate.name === channel.name);
  if (found) return found;
  return fail({
    class: 'invalid',
    code: 'channel-without-policy',
    message: `${POLICY_FILE} says nothing about channel ${channel.name}`,
    hint: `Add it to "channels" in ${POLICY_FILE} on the channel's own branch.`,
    place: { file: POLICY_FILE, field: 'channels' },
  });
}

function parse(text: string | undefined): FleetPolicy {
  if (text === undefined) return DEFAULT_POLICY;
  const parsed = parsePolicy(text, POLICY_FILE);
  if (parsed.ok) return parsed.value;
  const [first, ...more] = parsed.error;
  return fail({
    class: 'invalid',
    code: 'policy-invalid',
    message: [first?.message ?? 'the policy cannot be read', ...more.map(withLine)].join('; '),
    hint: first?.hint ?? 'Mend the file on the channel’s branch; until then nothing moves in this channel.',
    place: {
      file: POLICY_FILE,
      ...(first?.line !== undefined && { line: first.line }),
      ...(first?.column !== undefined && { column: first.column }),
    },
    details: parsed.error.map((problem) => ({
      message: problem.message,
      place: { file: problem.file, ...(problem.line !== undefined && { line: problem.line }) },
    })),
  });
}

const withLine = ({ line, message }: { readonly line?: number; readonly message: string }): string =>
  line === undefined ? message : `line ${line}: ${message}`;

/** Stores the policy of a channel's head, or what is wrong with it, so that everybody judges and sees the same. */
export async function storePolicy(
  ports: Pick<EnginePorts, 'decisions' | 'clock'>,
  policies: PolicySource,
  lease: () => Promise<Lease>,
  channel: Channel,
): Promise<void> {
  if (channel.headCommit === undefined) return;
  const stored = (await ports.decisions.policies()).find((one) => one.channel === channel.name);
  const read = await policies.policyOf(channel).then(
    (policy) => ({ policy }),
    (thrown: unknown) => ({ failure: toFailure(thrown) }),
  );
  if ('failure' in read && read.failure.class !== 'invalid') return;
  const problem = 'failure' in read ? problemOf(read.failure, `channel/${channel.name}`) : undefined;
  if (stored?.commit === channel.headCommit && stored.problem?.detail === problem?.detail) return;
  const readAt = ports.clock.now();
  const next: StoredPolicy = {
    channel: channel.name,
    commit: channel.headCommit,
    readAt,
    ...('policy' in read ? { policy: read.policy } : { problem: problem as NonNullable<typeof problem> }),
  };
  const events = 'failure' in read ? [policyEvent(channel, read.failure, readAt)] : [];
  await ports.decisions.savePolicy(await lease(), next, events);
  if (problem !== undefined || stored?.problem !== undefined) {
    const subject = `channel/${channel.name}`;
    await ports.decisions.saveProblems(await lease(), subject, problem === undefined ? [] : [problem], []);
  }
}

const policyEvent = (channel: Channel, failure: Failure, at: number): FleetEvent => ({
  type: 'problem.raised',
  at,
  severity: 'error',
  subject: `channel/${channel.name}`,
  channel: channel.name,
  message: `${channel.name}: ${failure.place?.file ?? POLICY_FILE}${failure.place?.line === undefined ? '' : `:${failure.place.line}`}: ${failure.message}`,
  data: { commit: channel.headCommit, code: failure.code, hint: failure.hint },
  dedupeKey: `policy|${channel.headCommit}`,
});
