import { fileURLToPath } from 'node:url';
import { playDemo } from './demo/demo.js';
import { ACCOUNTS } from './fleet-records.js';
import { startSandbox } from './sandbox.js';

const started = Date.now();
process.stdout.write('Starting PostgreSQL, Git, the simulated estate, the API and a worker …\n');
const sandbox = await startSandbox({
  speed: 120,
  seed: 7,
  logLevel: (process.env['FAIRWAY_LOG_LEVEL'] as 'warn' | undefined) ?? 'error',
  configDir: fileURLToPath(new URL('../../../test/fixtures/config-repo', import.meta.url)),
  policyFile: fileURLToPath(new URL('../policy/fairway.yaml', import.meta.url)),
  accounts: ACCOUNTS,
});
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true;
    void sandbox.close().finally(() => process.exit(130));
  });
}
let clean = false;
try {
  clean = await playDemo(sandbox);
} catch (error) {
  if (!interrupted)
    process.stderr.write(
      `The demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
} finally {
  await sandbox.close();
}
process.stdout.write(
  `${clean ? 'The demo went as it should' : 'The demo did NOT go as it should'}, in ${Math.round((Date.now() - started) / 1000)} s.\n`,
);
process.exit(clean ? 0 : 1);
