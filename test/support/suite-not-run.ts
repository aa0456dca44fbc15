import { appendFileSync } from 'node:fs';
import { describe, it } from 'vitest';

/**
 * For a suite that lacks something on this machine. It is not silently skipped: it says so, tells the test runner
 * (`tools/run-tests.mjs`, by the file it names), and fails where everything must be there (`CI=true`).
 */
export function suiteNotRun(suite: string, why: string): void {
  const line = `suite not run: ${suite}: ${why}`;
  console.warn(line);
  const file = process.env['FAIRWAY_SUITES_NOT_RUN'];
  if (file) appendFileSync(file, `${line}\n`);
  describe(suite, () => {
    if (process.env['CI'] === 'true') {
      it('can run here', () => {
        throw new Error(line);
      });
    } else {
      it.skip(line);
    }
  });
}
