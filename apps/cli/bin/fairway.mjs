#!/usr/bin/env node
// From a checkout the command runs from source, as everything does in development; an installed package has its build.
import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
const built = new URL('dist/apps/cli/main.js', root);
if (existsSync(built) && process.env.FAIRWAY_FROM_SOURCE !== 'true' && !existsSync(new URL('.git', root))) {
  await import(built.href);
} else {
  const main = fileURLToPath(new URL('apps/cli/src/main.ts', root));
  const tsx = import.meta.resolve('tsx');
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', tsx, main, ...process.argv.slice(2)],
    {
      stdio: 'inherit',
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
}
