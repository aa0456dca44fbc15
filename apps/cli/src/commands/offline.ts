import type { Command } from 'commander';
import { type OfflineOptions, withClusterOptions, withOfflineOptions } from '../offline/offline-options.js';

/**
 * Commands that work on a configuration repository alone; `plan --offline` is with `plan`. What does the work is loaded
 * when it is asked for: the others must not wait for it.
 */
export function addOffline(program: Command): void {
  withClusterOptions(withOfflineOptions(program.command('render')))
    .description('what a configuration repository renders to for a cluster')
    .option('--out <dir>', 'write the files here, with their paths; several clusters: one directory each')
    .action(async (options: OfflineOptions, command: Command) => {
      const { renderOffline } = await import('../offline/render-offline.js');
      renderOffline(options, command);
    });
  withClusterOptions(withOfflineOptions(program.command('validate')))
    .description('everything that is wrong with a configuration repository, for one cluster or many')
    .action(async (options: OfflineOptions, command: Command) => {
      const { validateOffline } = await import('../offline/validate-offline.js');
      validateOffline(options, command);
    });
}
