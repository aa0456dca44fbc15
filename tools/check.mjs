// The gate: format, lint, layers, types, unit tests with their goldens, migrations drift. One line per part, details of
// what failed. `npm run check -- format types` runs some of them. CI runs `npm test` next, which begins with the unit tests
// and tries again on its own what failed: there they are not run twice.
import { spawnSync } from 'node:child_process';
import { checkLayers } from './layers.mjs';

const bin = (name) => `node_modules/.bin/${name}`;
const run = (command, ...args) => {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return {
    ok: result.status === 0,
    output: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`,
  };
};

const PARTS = {
  format: () => run(bin('prettier'), '--check', '--log-level', 'warn', 'apps', 'libs', 'test', 'tools'),
  lint: () => run(bin('oxlint'), '--deny-warnings', 'apps', 'libs', 'test', 'tools'),
  layers: checkLayers,
  types: () => run(bin('tsc'), '-b', 'tsconfig.build.json'),
  unused: () => run(bin('knip'), '--no-progress'),
  unit: () => run(bin('vitest'), 'run', '--project', 'unit', '--reporter', 'dot'),
  docs: () => run(process.execPath, 'tools/docs-table.mjs', '--check'),
};

const wanted = process.argv.slice(2).filter((name) => name in PARTS);
const usual = Object.keys(PARTS).filter((name) => name !== 'unit' || process.env.CI !== 'true');
const names = wanted.length > 0 ? wanted : usual;
let failed = 0;
for (const name of names) {
  const started = performance.now();
  const { ok, output } = await PARTS[name]();
  const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${time}\n`);
  if (ok) continue;
  failed += 1;
  process.stdout.write(`${output.trim().split('\n').slice(-120).join('\n')}\n`);
}
process.stdout.write(`check: ${names.length - failed} of ${names.length} parts are in order\n`);
process.exit(failed === 0 ? 0 : 1);
