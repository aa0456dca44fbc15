import { done, type Duration, formatDuration, hours, minutes, type Outcome, waiting } from '#kernel';
import { requireBackup } from '../backup/require-backup.js';
import type { BasePass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import type { StepKind } from '#fleet';
import type { StackView } from '#ports';
import type { StepRunner } from './step-runner.js';

/** Config item that confirms a decommission; its value must be the cluster's id. */
export const DECOMMISSION_CONFIRMATION_ITEM = 'decommission_confirmation';

const REQUESTED_AT = 'decommission/requested-at';

/** Pools first: no machine may outlive the network and roles it depends on. */
export const removeNodePoolsStep: StepRunner<BasePass> = {
  kind: 'remove-node-pools',
  title: 'Delete the node pools',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    const stop = (await identityMatches(pass)) ?? confirmed(pass) ?? graceOver(pass);
    if (stop) return stop;
    const backup = await lastBackup(pass);
    if (backup.kind !== 'done') return backup;
    const stacks = await pass.aws.listClusterStacks(pass.cluster.id);
    return deleteStacks(pass, 'remove-node-pools', stacks.filter(isPoolStack));
  },
};

export const removeStacksStep: StepRunner<BasePass> = {
  kind: 'remove-stacks',
  title: 'Delete the cluster stacks',
  timeLimit: hours(4),
  errorThreshold: 3,
  irreversible: true,
  run: async (pass): Promise<Outcome> => {
    const stacks = await pass.aws.listClusterStacks(pass.cluster.id);
    // The etcd stack goes last: as long as anything else is left, the data can still be looked at.
    const others = stacks.filter((name) => !name.startsWith('etcd'));
    const outcome = await deleteStacks(pass, 'remove-stacks', others);
    if (outcome.kind !== 'done') return outcome;
    return deleteStacks(
      pass,
      'remove-stacks',
      stacks.filter((name) => name.startsWith('etcd')),
    );
  },
};

/** An etcd stack without the cluster's tag serves its account: whoever still keeps data there decides about it. */
const NOTHING_LEFT =
  "nothing that carries the cluster's tag is left in AWS; a shared etcd stack of the account stays";

export const reportRemainsStep: StepRunner<BasePass> = {
  kind: 'report-remains',
  title: 'Report what is left',
  timeLimit: hours(1),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    const groups = await pass.aws.describeNodeGroups(pass.cluster.id);
    const stacks = await pass.aws.listClusterStacks(pass.cluster.id);
    const remains = [
      ...groups.map((group) => `ASG ${group.groupName}`),
      ...stacks.map((name) => `stack ${name}`),
    ];
    const message = remains.length === 0 ? NOTHING_LEFT : `left in AWS: ${remains.join(', ')}`;
    tell(pass, { type: 'decommission.finished', message, data: { remains } });
    return done(message);
  },
};

/** Config item with which people let a cluster go without a last backup, for example because it is broken. */
const SKIP_BACKUP_ITEM = 'decommission_backup';

async function lastBackup(pass: BasePass): Promise<Outcome> {
  if (pass.cluster.configItems[SKIP_BACKUP_ITEM] === 'skip') return done('skipped by decommission_backup');
  const outcome = await requireBackup(pass, ['decommission']);
  if (outcome.kind !== 'blocked') return outcome;
  const way = `Or let it go without: config item ${SKIP_BACKUP_ITEM}=skip.`;
  return { ...outcome, unblock: `${outcome.unblock} ${way}` };
}

export const isPoolStack = (name: string): boolean => name.startsWith('nodepool-');

async function identityMatches(pass: BasePass): Promise<Outcome | undefined> {
  const caller = await pass.aws.callerAccount();
  if (caller === pass.account.externalId) return undefined;
  return {
    kind: 'failed',
    failure: {
      class: 'denied',
      code: 'wrong-account',
      message: `credentials are for account ${caller}, the cluster lives in ${pass.account.externalId}`,
      hint: 'Check the role that Fairway assumes for this account.',
    },
  };
}

function confirmed(pass: BasePass): Outcome | undefined {
  if (pass.cluster.configItems[DECOMMISSION_CONFIRMATION_ITEM] === pass.cluster.id) return undefined;
  return {
    kind: 'blocked',
    by: 'a missing confirmation',
    unblock: `Set the config item ${DECOMMISSION_CONFIRMATION_ITEM} to ${pass.cluster.id} (fairway clusters decommission --confirm).`,
    recheckIn: pass.settings.resyncInterval,
  };
}

function graceOver(pass: BasePass): Outcome | undefined {
  const now = pass.ports.clock.now();
  const since = pass.memory.number(REQUESTED_AT);
  if (since === undefined) pass.memory.set(REQUESTED_AT, now);
  const left: Duration = (since ?? now) + pass.settings.decommissionGrace - now;
  if (left <= 0) return undefined;
  return waiting(`the grace period: deletion begins in ${formatDuration(left)}`, left);
}

/** What holds a resource may go at any time, and nobody has to tell us. */
const DELETE_AGAIN_AFTER = minutes(10);

const triedJustNow = (pass: BasePass, { name, id }: StackView): boolean =>
  pass.memory.text(`deleted/${name}`) === id &&
  pass.ports.clock.now() - (pass.memory.number(`deleted-at/${name}`) ?? 0) < DELETE_AGAIN_AFTER;

async function cannotBeDeleted(pass: BasePass, name: string, view: StackView): Promise<Outcome> {
  const failures = await pass.aws.stackFailures(name);
  return {
    kind: 'failed',
    failure: {
      class: 'blocked',
      code: 'stack-delete-failed',
      message: `stack ${name} cannot be deleted: ${failures[0]?.reason ?? view.statusReason ?? 'no reason given'}`,
      hint: `Remove what holds the resource; the deletion is tried again every ${formatDuration(DELETE_AGAIN_AFTER)}.`,
    },
  };
}

/** Shared with pools that leave a living cluster. */
export async function deleteStacks(
  pass: BasePass,
  step: StepKind,
  names: readonly string[],
): Promise<Outcome> {
  const left: string[] = [];
  for (const name of names) {
    const view = await pass.aws.describeStack(name);
    if (!view || view.status === 'DELETE_COMPLETE') continue;
    left.push(name);
    if (view.status === 'DELETE_IN_PROGRESS') continue;
    if (view.status === 'DELETE_FAILED' && triedJustNow(pass, view)) return cannotBeDeleted(pass, name, view);
    pass.memory.set(`deleted/${name}`, view.id);
    pass.memory.set(`deleted-at/${name}`, pass.ports.clock.now());
    await pass.intents.perform({ step, target: name, verb: 'delete-stack' }, async () => {
      if (view.terminationProtection) await pass.aws.setTerminationProtection(name, false);
      await pass.aws.deleteStack(name);
    });
    tell(pass, { type: 'stack.delete', message: `delete stack ${name}`, data: { stack: name } });
  }
  if (left.length === 0) return done('all stacks are gone');
  return waiting(`the deletion of ${left.join(', ')}`, pass.settings.pollInterval, {
    done: names.length - left.length,
    total: names.length,
    unit: 'stacks',
  });
}
