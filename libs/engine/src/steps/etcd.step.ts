import {
  done,
  failed,
  formatDuration,
  hours,
  minutes,
  seconds,
  toFailure,
  waiting,
  type Outcome,
} from '#kernel';
import { problemType } from '#fleet';
import {
  judgeReplacement,
  memberWord,
  planEtcd,
  type EtcdAction,
  type EtcdMemory,
  type EtcdPolicy,
} from '#upgrade';
import { requireBackup } from '../backup/require-backup.js';
import { runEtcdAction, targetOf } from '../etcd/etcd-actions.js';
import { readEtcdMemory, readEtcdSeen, writeEtcdMemory, writeEtcdSeen } from '../etcd/etcd-memory.js';
import { etcdSettings, type EtcdSettings } from '../etcd/etcd-settings.js';
import { observeEtcd, type EtcdObservation } from '../etcd/observe-etcd.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { ensureStack } from './ensure-stack.js';
import { storeGeneratedFiles } from './generated-files.js';
import { heldOutcome } from './held.js';
import type { StepRunner } from './step-runner.js';

const AWAY_SINCE = 'etcd/away-since';
const TELL_AFTER = seconds(30);
const TELL_AFTER_CREATION = minutes(10);
const LOOK_AFTER_ACTION = seconds(1);
/** Where nothing is ever replaced: no machine is seen, so only the health of the members counts. */
const WATCH_ONLY: EtcdPolicy = {
  way: 'static',
  maxLag: 0,
  settle: 0,
  unhealthyAfter: minutes(5),
  patience: minutes(15),
};

/** The etcd stack, then its members: one thing per pass, decided anew from what is seen. */
export const etcdStep: StepRunner = {
  kind: 'etcd',
  title: 'Bring etcd and its members to their state',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    await storeGeneratedFiles(pass, 'etcd', (file) => file.keyOutput === undefined);
    const { etcdStack } = pass.desired;
    if (etcdStack) {
      const stack = await ensureStack(pass, 'etcd', etcdStack);
      if (stack.kind !== 'done') return stack;
    }
    const settings = etcdSettings(pass.desired.etcdItems);
    if (!settings.ok) return failed(settings.error);
    if (!settings.value) {
      const stack = etcdStack ? `stack ${etcdStack.name} is up to date; ` : '';
      return done(`${stack}members are not looked after: config item etcd_endpoints is not set`);
    }
    const observed = await observe(pass, settings.value);
    return 'kind' in observed ? observed : keepMembers(pass, settings.value, observed);
  },
};

/** What is seen of the members, or that nobody answers. */
async function observe(pass: Pass, settings: EtcdSettings): Promise<EtcdObservation | Outcome> {
  const { etcd, clock } = pass.ports;
  if (!etcd) return done('members are not looked after: this Fairway has no connection to etcd');
  const stack = pass.desired.etcdStack;
  try {
    const groups = stack && settings.policy ? await pass.aws.describeStackGroups(stack.name) : [];
    const seen = readEtcdSeen(pass.memory);
    const observed = await observeEtcd({
      etcd,
      clusterId: pass.cluster.id,
      settings,
      groups,
      seen,
      now: clock.now(),
    });
    pass.memory.delete(AWAY_SINCE);
    writeEtcdSeen(pass.memory, observed.seen);
    return observed;
  } catch (thrown) {
    const failure = toFailure(thrown);
    const away = failure.class === 'transient' || failure.code === 'etcd-bad-endpoint';
    if (!away || !failure.code.startsWith('etcd-')) throw thrown;
    return etcdAway(pass, failure.message);
  }
}

/** Waiting for an etcd that forms or reboots is no failure; waiting for long is something that people must know. */
function etcdAway(pass: Pass, reason: string): Outcome {
  const now = pass.ports.clock.now();
  const since = pass.memory.number(AWAY_SINCE) ?? now;
  pass.memory.set(AWAY_SINCE, since);
  const limit = pass.cluster.lifecycleStatus === 'ready' ? TELL_AFTER : TELL_AFTER_CREATION;
  if (now - since >= limit) {
    report(pass, 'etcd-unreachable', `${reason}, for ${formatDuration(now - since)}`, {
      hint: 'Check etcd_endpoints, the security group of etcd, and that Fairway may reach it. Nothing is done to the cluster meanwhile.',
    });
  }
  return waiting(`etcd to answer (${reason})`, pass.settings.pollInterval);
}

async function keepMembers(pass: Pass, settings: EtcdSettings, observed: EtcdObservation): Promise<Outcome> {
  const policy: EtcdPolicy = settings.policy ?? WATCH_ONLY;
  const before = readEtcdMemory(pass.memory);
  const { decision, memory } = planEtcd(observed.scope, before, policy, pass.ports.clock.now());
  refuseWishes(pass, settings, observed, policy);
  const progress = progressOf(observed);
  switch (decision.kind) {
    case 'done':
      writeEtcdMemory(pass.memory, memory);
      return done(decision.summary);
    case 'wait':
      writeEtcdMemory(pass.memory, memory);
      return waiting(decision.for, pass.settings.pollInterval, progress);
    case 'refused':
      writeEtcdMemory(pass.memory, memory);
      return {
        kind: 'blocked',
        by: decision.reasons.join('; '),
        unblock: decision.remedy,
        recheckIn: pass.settings.pollInterval,
        progress,
      };
    case 'act': {
      const held = inFlight(before, observed) ? undefined : heldOutcome(pass);
      if (held) return held;
      const backup = inFlight(before, observed) ? undefined : await backupFirst(pass, observed);
      if (backup && backup.kind !== 'done') return backup;
      writeEtcdMemory(pass.memory, memory);
      return act(pass, observed, decision.action, decision.why);
    }
  }
}

/** What is well is replaced with a fresh backup behind it; a sick member is not kept waiting for one. */
async function backupFirst(pass: Pass, { scope }: EtcdObservation): Promise<Outcome | undefined> {
  const well = scope.members.every(({ healthy }) => healthy);
  const ready = pass.cluster.lifecycleStatus === 'ready';
  return well && ready ? requireBackup(pass, ['replacement of etcd members']) : undefined;
}

/** Something of ours is half done: a hold lets it come to its end. */
const inFlight = (memory: EtcdMemory, { scope }: EtcdObservation): boolean =>
  scope.groups.some(({ name, desired }) => desired > (memory.baseline[name]?.desired ?? desired)) ||
  memory.condemned.length > 0 ||
  scope.members.some((member) => member.learner);

async function act(pass: Pass, observed: EtcdObservation, action: EtcdAction, why: string): Promise<Outcome> {
  const soon = pass.settings.roll.lookAfterAction ?? LOOK_AFTER_ACTION;
  const progress = progressOf(observed);
  const words = `${action.kind} ${nameOf(observed, action)}`;
  try {
    await pass.intents.perform(
      { step: 'etcd', target: targetOf(action), verb: action.kind, data: { action, why } },
      () => runEtcdAction(pass.aws, observed, action),
    );
  } catch (thrown) {
    const { class: kind, message } = toFailure(thrown);
    if (kind === 'bug' || kind === 'denied' || kind === 'invalid' || kind === 'terminal') throw thrown;
    if (toFailure(thrown).code === 'lease-lost') throw thrown;
    // etcd says "not now" (members that have just joined, an election), or the answer was lost: the next look tells.
    return waiting(`${words}: ${message}`, pass.settings.pollInterval, progress);
  }
  tell(pass, {
    type: `etcd.${action.kind}`,
    message: `etcd: ${words} (${why})`,
    data: { action, reason: why },
  });
  return waiting(`${words}: ${why}`, soon, progress);
}

function nameOf({ scope }: EtcdObservation, action: EtcdAction): string {
  const member = scope.members.find(({ id }) => id === targetOf(action));
  return member ? memberWord(member) : targetOf(action);
}

function progressOf({ scope }: EtcdObservation) {
  const carrying = scope.machines.filter(
    (machine) =>
      !machine.leaving && scope.members.some(({ instanceId }) => instanceId === machine.instanceId),
  );
  return {
    done: carrying.filter(({ outdated }) => !outdated).length,
    total: scope.groups.length === 0 ? scope.members.length : carrying.length,
    unit: 'etcd members',
  };
}

/** Somebody asked for a machine by name that may not go now: told why, in words. */
function refuseWishes(
  pass: Pass,
  settings: EtcdSettings,
  { scope }: EtcdObservation,
  policy: EtcdPolicy,
): void {
  for (const instanceId of settings.replace) {
    const member = scope.members.find((candidate) => candidate.instanceId === instanceId);
    const sick = scope.members.some(({ healthy, learner }) => !healthy && !learner);
    if (!member || !(sick || scope.alarms.length > 0)) continue;
    const { allowed, reasons } = judgeReplacement(scope, policy, member.id);
    if (allowed) continue;
    report(pass, 'etcd-replacement-refused', `${instanceId} (${memberWord(member)}): ${reasons.join('; ')}`, {
      hint: 'It is replaced when all members are well; nothing needs to be asked again.',
    });
  }
}

function report(pass: Pass, name: string, detail: string, { hint }: { readonly hint: string }): void {
  pass.report.problems.push({
    type: problemType(name),
    title: name.replaceAll('-', ' '),
    detail,
    instance: `cluster/${pass.cluster.id}`,
    hint,
    severity: 'error',
  });
}
