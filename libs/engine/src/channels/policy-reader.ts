import { fail } from '#kernel';
import type { Channel } from '#fleet';
import type { GitPort } from '#ports';
import { DEFAULT_POLICY, parsePolicy, type ChannelPolicy, type FleetPolicy } from '#promotion';

const POLICY_FILE = 'fairway.yaml';

/** Policies from channels' heads. A channel is judged by its own head's file, so that no candidate lowers its own gates. */
export class PolicyReader {
  private readonly cache = new Map<string, FleetPolicy>();

  constructor(private readonly git: GitPort) {}

  /** Rejects with `policy-invalid` (class invalid) naming file and line. */
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

  channelPolicy(policy: FleetPolicy, channel: Pick<Channel, 'name'>): ChannelPolicy {
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
}

function parse(text: string | undefined): FleetPolicy {
  if (text === undefined) return DEFAULT_POLICY;
  const parsed = parsePolicy(text, POLICY_FILE);
  if (parsed.ok) return parsed.value;
  const [first] = parsed.error;
  return fail({
    class: 'invalid',
    code: 'policy-invalid',
    message: first?.message ?? 'the policy cannot be read',
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
