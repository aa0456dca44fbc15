import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addBackup } from './commands/backup.js';
import { addChannels } from './commands/channels.js';
import { addClusters } from './commands/clusters.js';
import { addDiff } from './commands/diff.js';
import { addDoctor } from './commands/doctor.js';
import { addDrift } from './commands/drift.js';
import { addConfig } from './commands/config.js';
import { addConformance } from './commands/conformance.js';
import { addEvents } from './commands/events.js';
import { addGates } from './commands/gates.js';
import { addHold } from './commands/hold.js';
import { addInputs } from './commands/inputs.js';
import { addNotify } from './commands/notify.js';
import { addOffline } from './commands/offline.js';
import { addPrune } from './commands/prune.js';
import { addPromote } from './commands/promote.js';
import { addRoll } from './commands/roll.js';
import { addRollback } from './commands/rollback.js';
import { addUpgrade } from './commands/upgrade.js';
import { addLogin } from './commands/session.js';
import { CommandError, commandErrorOf, EXIT } from './exit-codes.js';

/** As far below the package's root from source as built. */
const { version } = createRequire(import.meta.url)('../../../package.json') as { readonly version: string };

const program = new Command('fairway')
  .description('Runs fleets of Kubernetes clusters from Git.')
  .version(version, '-V, --version')
  .option('-o, --output <format>', 'table, json or yaml', 'table')
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));

addLogin(program);
addClusters(program);
addChannels(program);
addGates(program);
addPromote(program);
addHold(program);
addRollback(program);
addConformance(program);
addRoll(program);
addBackup(program);
addDoctor(program);
addUpgrade(program);
addDiff(program);
addDrift(program);
addPrune(program);
addEvents(program);
addNotify(program);
addOffline(program);
addConfig(program);
addInputs(program);

// A reader that went away (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
});

try {
  await program.parseAsync();
} catch (thrown) {
  const error = thrown instanceof CommandError ? thrown : commandErrorOf(thrown);
  if (!error) throw thrown;
  process.stderr.write(`fairway: ${error.message}\n`);
  if (error.hint !== undefined) process.stderr.write(`  → ${error.hint}\n`);
  process.exitCode = error.exitCode;
}
