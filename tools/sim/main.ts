import { parseArgs } from 'node:util';
import { formatDuration } from '#kernel';
import { SCENARIOS } from '../../libs/rolling/src/test-world/scenarios.js';

const { values } = parseArgs({
  options: { scenario: { type: 'string' }, seed: { type: 'string', default: '1' } },
});

function usage(): string {
  const lines = Object.entries(SCENARIOS).map(([name, { about }]) => `  ${name.padEnd(26)} ${about}`);
  return ['npm run sim -- --scenario NAME [--seed N]', ...lines, ''].join('\n');
}

/** Plays a story in virtual time with every invariant checked after every action, and prints its log. */
function main(): number {
  const scenario = SCENARIOS[values.scenario ?? ''];
  const seed = Number(values.seed);
  if (!scenario || !Number.isInteger(seed)) {
    process.stderr.write(usage());
    return 2;
  }
  const { end, world } = scenario.play(seed);
  process.stdout.write(`${values.scenario}, seed ${seed}: ${scenario.about}\n\n${end.log.join('\n')}\n\n`);
  for (const roll of end.decision.efficiency) {
    const spent = Object.entries(roll.spent).map(([cause, ms]) => `${cause} ${formatDuration(ms ?? 0)}`);
    process.stdout.write(
      `${roll.group}: ${roll.nodes.done} of ${roll.nodes.total} in ${formatDuration(roll.observedMs)}, η ${roll.eta?.toFixed(2) ?? '–'}; ${spent.join(', ')}\n`,
    );
  }
  process.stdout.write(
    `${end.decision.state} after ${formatDuration(end.elapsedMs)}: ${world.launches} launches, ${world.terminations.length} terminations, ${end.evictions} evictions asked, ${end.passes} passes\n`,
  );
  return 0;
}

process.exitCode = main();
