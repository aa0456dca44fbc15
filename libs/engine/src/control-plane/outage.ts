import type { Duration, Instant, Outcome } from '#kernel';
import { formatDuration, milliseconds, waiting } from '#kernel';
import { problemType, type DesiredNodePool } from '#fleet';
import { outdated } from '#rolling';
import { masterOutage, OUTAGE_GRANT_ITEM, type MasterOutage } from '#upgrade';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { poolPolicies } from '../steps/roll-policy.js';

const OUTAGE = 'control-plane/outage';

/** An outage of the API that people allowed: told before it begins, measured, and bounded. */
interface Announced {
  readonly updateId: string;
  readonly expected: Duration;
  readonly limit: Duration;
  /** When the API was last seen to answer before the master went, and when it was first seen not to. */
  readonly readyAt?: Instant;
  readonly awaySince?: Instant;
  readonly overdue?: true;
  readonly ended?: true;
}

/**
 * Before a master is replaced: is the API going to be away, and may it be? Undefined lets the roll go on. An outage is
 * announced in a pass of its own, so that it is on record before anything happens.
 */
export async function outageGate(
  pass: Pass,
  masters: readonly DesiredNodePool[],
): Promise<Outcome | undefined> {
  const looked = await foreseen(pass, masters);
  if (looked.kind === 'failed') return looked;
  const { outage } = looked;
  const known = announced(pass);
  if (known && known.ended === undefined) track(pass, known, looked.replaced);
  if (outage.kind === 'none') return undefined;
  if (outage.kind === 'refused') {
    const { reason: by, remedy: unblock } = outage;
    return { kind: 'blocked', by, unblock, recheckIn: pass.settings.resyncInterval };
  }
  return known ? undefined : announce(pass, outage);
}

/** The API answers. By a new master: the outage is over. By the old one: it has not begun. */
function track(pass: Pass, known: Announced, replaced: boolean): void {
  if (replaced) return end(pass, known);
  const { awaySince: _flap, ...rest } = known;
  pass.memory.set(OUTAGE, { ...rest, readyAt: pass.ports.clock.now() } satisfies Announced);
}

type Foreseen =
  | {
      readonly kind: 'seen';
      readonly outage: MasterOutage;
      /** Current masters serve, and no others. */ readonly replaced: boolean;
    }
  | Extract<Outcome, { kind: 'failed' }>;

const NO_OUTAGE: MasterOutage = { kind: 'none' };

async function foreseen(pass: Pass, masters: readonly DesiredNodePool[]): Promise<Foreseen> {
  const policies = poolPolicies(pass, masters);
  if (!policies.ok) return { kind: 'failed', failure: policies.error };
  const rough = masters.map((pool) => ({ pool, policy: policies.value.byPool.get(pool.name) }));
  const careful = ({ policy }: (typeof rough)[number]): boolean =>
    policy?.strategy === 'surge' && policy.maxSurge !== 0;
  // The usual case costs no look at AWS.
  if (rough.every(careful)) return { kind: 'seen', outage: NO_OUTAGE, replaced: true };
  const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
  const instances = groups
    .filter((group) => masters.some(({ name }) => name === group.pool))
    .flatMap((group) => group.instances.map((instance) => ({ group, instance })));
  const serving = instances.filter(({ instance }) => instance.lifecycleState === 'InService');
  const leaving = serving.find(
    ({ group, instance }) =>
      group.launchTemplate !== undefined &&
      outdated(instance, { targetVersion: group.launchTemplate, instanceTypes: group.instanceTypes })
        .outdated,
  );
  const way = rough.find(({ pool }) => pool.name === leaving?.group.pool);
  if (!leaving || !way?.policy) return { kind: 'seen', outage: NO_OUTAGE, replaced: serving.length > 0 };
  const outage = masterOutage({
    masters: serving.length,
    strategy: way.policy.strategy,
    maxSurge: way.policy.maxSurge,
    granted: [way.pool, pass.cluster].some(({ configItems }) => configItems[OUTAGE_GRANT_ITEM] === 'true'),
    expectedBoot: way.policy.expectedBoot,
    expectedDrain: way.policy.expectedDrain,
  });
  return { kind: 'seen', outage, replaced: false };
}

function announce(pass: Pass, { expected, limit }: Extract<MasterOutage, { kind: 'granted' }>): Outcome {
  pass.memory.set(OUTAGE, { updateId: pass.update.id, expected, limit } satisfies Announced);
  tell(pass, {
    type: 'control-plane.outage-announced',
    severity: 'warning',
    message: `the API of ${pass.cluster.alias} goes away for about ${formatDuration(expected)} (at most ${formatDuration(limit)}): its only master is replaced; workloads keep running, nothing new is scheduled`,
    data: { expectedMs: expected, limitMs: limit },
  });
  return waiting('the outage of the API to be announced', milliseconds(0));
}

/** While the API is away: nothing to be done but to wait, and to say when it takes too long. */
export function waitForApi(pass: Pass): Outcome {
  const url = pass.cluster.apiServerUrl;
  const known = announced(pass);
  if (!known || known.ended === true)
    return waiting(`the API server at ${url} to answer /readyz`, pass.settings.pollInterval);
  const now = pass.ports.clock.now();
  const awaySince = known.awaySince ?? now;
  const away = now - awaySince;
  const late = away > known.limit;
  if (late && known.overdue === undefined) {
    tell(pass, {
      type: 'control-plane.outage-overdue',
      severity: 'error',
      message: `the API of ${pass.cluster.alias} is away for ${formatDuration(away)}, more than the ${formatDuration(known.limit)} that were announced`,
      data: { awayMs: away, limitMs: known.limit },
    });
  }
  if (late) pass.report.problems.push(overdueProblem(pass, away, known.limit));
  pass.memory.set(OUTAGE, { ...known, awaySince, ...(late && { overdue: true }) } satisfies Announced);
  return waiting(
    `the new master: the API at ${url} is away for ${formatDuration(away)} of about ${formatDuration(known.expected)}`,
    pass.settings.pollInterval,
  );
}

const overdueProblem = (pass: Pass, away: Duration, limit: Duration) =>
  ({
    type: problemType('control-plane-outage-overdue'),
    title: 'control plane outage overdue',
    detail: `the API is away for ${formatDuration(away)}; at most ${formatDuration(limit)} were announced`,
    instance: `cluster/${pass.cluster.id}`,
    hint: 'Look at the new master: its console output, user data, etcd, load balancer.',
    severity: 'critical',
  }) as const;

/** From the last answer of the old master where nobody happened to look while the API was away: at most that long. */
function end(pass: Pass, known: Announced): void {
  const now = pass.ports.clock.now();
  const away = now - (known.awaySince ?? known.readyAt ?? now);
  pass.memory.set(OUTAGE, { ...known, ended: true } satisfies Announced);
  tell(pass, {
    type: 'control-plane.outage-ended',
    message: `the API of ${pass.cluster.alias} answers again after ${known.awaySince === undefined ? 'at most ' : ''}${formatDuration(away)} (about ${formatDuration(known.expected)} were announced)`,
    data: { awayMs: away, expectedMs: known.expected },
  });
}

/** What was announced in this update. */
function announced(pass: Pass): Announced | undefined {
  const value = pass.memory.get(OUTAGE) as Partial<Announced> | undefined;
  return value?.updateId === pass.update.id && typeof value.limit === 'number'
    ? (value as Announced)
    : undefined;
}
