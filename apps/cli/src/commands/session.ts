import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ApiClient } from '../api-client.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { loadLogin, saveLogin } from '../login-store.js';
import type { Format } from '../output.js';

export const client = (): ApiClient => new ApiClient(loadLogin());

/** `-o` of the command or of one of its parents. */
export function formatOf(command: Command): Format {
  const format = (command.optsWithGlobals() as { output?: string }).output ?? 'table';
  if (format === 'table' || format === 'json' || format === 'yaml') return format;
  throw new CommandError(`-o ${format} is not known`, EXIT.usage, 'Use table, json or yaml.');
}

/** The token comes from standard input or a file: on a command line everybody on the machine could read it. */
export function addLogin(program: Command): void {
  program
    .command('login <url>')
    .description('store URL and token of a Fairway server (the token is read from standard input)')
    .option('--token-file <file>', 'read the token from a file instead')
    .action(async (url: string, options: { tokenFile?: string }) => {
      const token = readFileSync(options.tokenFile ?? 0, 'utf8').trim();
      if (!token.startsWith('fwy_'))
        throw new CommandError('that is no token', EXIT.usage, 'Tokens begin with fwy_.');
      const login = { url, token };
      await new ApiClient(login).get('/api/v1/channels');
      process.stdout.write(`logged in to ${url}; stored in ${saveLogin(login)}\n`);
    });
}
