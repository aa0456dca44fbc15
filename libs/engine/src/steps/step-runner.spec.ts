import { describe, expect, it } from 'vitest';
import { done, hours } from '#kernel';
import { DECOMMISSION_STEP_KINDS, STEP_KINDS, type StepKind } from '#fleet';
import { DECOMMISSION_STEPS, UPDATE_STEPS } from './index.js';
import { createStepRegistry, type StepRunner } from './step-runner.js';

const runner = (kind: StepKind): StepRunner => ({
  kind,
  title: kind,
  timeLimit: hours(1),
  errorThreshold: 1,
  irreversible: false,
  run: async () => done('nothing to do'),
});

describe('the registry of steps', () => {
  it('has a runner for every kind that Fairway knows', () => {
    expect([...createStepRegistry(STEP_KINDS, UPDATE_STEPS).keys()].sort()).toEqual([...STEP_KINDS].sort());
    expect(createStepRegistry(DECOMMISSION_STEP_KINDS, DECOMMISSION_STEPS).size).toBe(
      DECOMMISSION_STEP_KINDS.length,
    );
  });

  it('refuses to boot without a runner for a kind', () => {
    expect(() => createStepRegistry(['validate', 'verify'], [runner('validate')])).toThrow(
      'no runner for step kind verify',
    );
  });

  it('refuses to boot with two runners for a kind', () => {
    const two = [runner('validate'), runner('validate')];
    expect(() => createStepRegistry(['validate'], two)).toThrow('two runners for step kind validate');
  });
});
