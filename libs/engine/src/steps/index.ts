import type { BasePass } from '../pass/pass.js';
import { backupStep } from './backup.step.js';
import { clusterStackStep } from './cluster-stack.step.js';
import { controlPlaneStep } from './control-plane.step.js';
import { removeNodePoolsStep, removeStacksStep, reportRemainsStep } from './decommission.step.js';
import { etcdStep } from './etcd.step.js';
import { manifestsStep } from './manifests.step.js';
import { nodePoolsStep } from './node-pools.step.js';
import { preflightStep } from './preflight.step.js';
import { pruneStep } from './prune.step.js';
import type { StepRunner } from './step-runner.js';
import { validateStep } from './validate.step.js';
import { verifyStep } from './verify.step.js';

export const UPDATE_STEPS: readonly StepRunner[] = [
  validateStep,
  preflightStep,
  backupStep,
  etcdStep,
  clusterStackStep,
  controlPlaneStep,
  manifestsStep,
  nodePoolsStep,
  pruneStep,
  verifyStep,
];

export const DECOMMISSION_STEPS: readonly StepRunner<BasePass>[] = [
  removeNodePoolsStep,
  removeStacksStep,
  reportRemainsStep,
];
