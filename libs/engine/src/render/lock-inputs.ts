import type { Cluster, LockedInputs, Update } from '#fleet';
import type { WantedInputs } from '#config';
import type { AwsPort, ObservedInputs } from '#ports';
import { rebaseUpdate } from '../pass/open-update.js';
import type { PassFrame } from '../pass/run-pass.js';
import { diffLocks, extendLock, inputsFrom, lacking, lockContent, lockEvent } from './inputs-lock.js';

/** Memory key: the update in which the outputs of the cluster stack were seen after its stack was done. */
export const OUTPUTS_OBSERVED = 'inputs/outputs-observed';
/** Memory key: the update that looked for a network in vain. */
const NO_NETWORK = 'inputs/no-network';

/** As the render names it. */
const clusterStackName = (cluster: Cluster): string => cluster.localId;

/**
 * What this pass renders with: the stored lock, extended by what the revision asks for and the lock lacks, and beside it
 * what is observed. However AWS moves, what is locked changes by a refresh only.
 */
export async function inputsFor(
  frame: PassFrame,
  update: Update,
  wanted: WantedInputs,
  aws: AwsPort,
): Promise<LockedInputs> {
  const lock = await lockFor(frame, update, wanted, aws);
  return inputsFrom(lock, await observed(frame, update, wanted, aws));
}

async function lockFor(
  frame: PassFrame,
  update: Update,
  wanted: WantedInputs,
  aws: AwsPort,
): Promise<LockedInputs> {
  const { configs } = frame.parts.ports;
  const stored = frame.standing.lock && (await configs.inputsLock(frame.cluster.id))?.inputs;
  if (!stored)
    return storeLock(frame, undefined, await lookUp(frame, wanted, aws), 'looked up for the first render');
  const missing = lacking(stored, wanted);
  if (!missing) return stored;
  // An account without a network is asked once an update: nothing of a render can be named that would lack it.
  const images = missing.images.length + missing.instanceTypes.length > 0;
  const otherVpc = wanted.vpcId !== undefined && wanted.vpcId !== stored.vpcId;
  if (!images && !otherVpc && frame.memory.text(NO_NETWORK) === update.id) return stored;
  frame.memory.set(NO_NETWORK, update.id);
  const extended = extendLock(stored, await lookUp(frame, missing, aws), wanted);
  return storeLock(frame, stored, extended, 'the configuration asks for more');
}

/** Everything that may be locked, as AWS has it now. */
export async function lookUp(frame: PassFrame, wanted: WantedInputs, aws: AwsPort): Promise<LockedInputs> {
  const looked = await aws.lookupInputs({
    clusterId: frame.cluster.id,
    stackName: clusterStackName(frame.cluster),
    images: wanted.images,
    instanceTypes: wanted.instanceTypes,
    cipherTexts: [],
    ...(wanted.vpcId !== undefined && { vpcId: wanted.vpcId }),
  });
  return lockContent(looked);
}

/** Stores a new version if anything differs; the open update goes on with it. Returns the lock in force. */
async function storeLock(
  frame: PassFrame,
  before: LockedInputs | undefined,
  inputs: LockedInputs,
  reason: string,
): Promise<LockedInputs> {
  if (await storeNewLock(frame, before, inputs, reason)) rebaseUpdate(frame);
  return inputs;
}

/** False: nothing differs. The pass sees the new version from here on. */
export async function storeNewLock(
  frame: PassFrame,
  before: LockedInputs | undefined,
  inputs: LockedInputs,
  reason: string,
): Promise<boolean> {
  const changes = diffLocks(before, inputs);
  if (before && changes.length === 0) return false;
  const { configs, clock } = frame.parts.ports;
  const lock = {
    clusterId: frame.cluster.id,
    version: (frame.standing.lock?.version ?? 0) + 1,
    inputs,
    reason,
    createdAt: clock.now(),
  };
  await configs.recordInputsLock(await frame.lease.current(), lock, [
    lockEvent(frame.cluster, lock, changes),
  ]);
  frame.standing = { ...frame.standing, lock: { version: lock.version, digest: inputs.digest } };
  return true;
}

/** Outputs follow the stack: they are read until the stack is done in this update, and again in the next one. */
async function observed(
  frame: PassFrame,
  update: Update,
  { cipherTexts }: WantedInputs,
  aws: AwsPort,
): Promise<ObservedInputs> {
  const known = frame.runtime.inputs?.clusterStackOutputs;
  const seen = known && frame.memory.text(OUTPUTS_OBSERVED) === update.id;
  if (seen && cipherTexts.length === 0) return { clusterStackOutputs: known, decrypted: {} };
  return aws.observeInputs({ stackName: clusterStackName(frame.cluster), cipherTexts });
}
