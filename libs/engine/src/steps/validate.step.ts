import { done, hours, type Outcome } from '#kernel';
import type { StepRunner } from './step-runner.js';

/** Rendering and validation happen before a pass may run any step; what is left to say is that they passed. */
export const validateStep: StepRunner = {
  kind: 'validate',
  title: 'Render and validate',
  timeLimit: hours(1),
  errorThreshold: 1,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    const { desired } = pass;
    const objects = desired.components.reduce((sum, component) => sum + component.objects.length, 0);
    return done(
      `${objects} objects of ${desired.components.length} components, ${desired.nodePools.length} node pools, ` +
        `${desired.warnings.length} warnings`,
    );
  },
};
