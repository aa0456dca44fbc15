import { createHash } from 'node:crypto';

/**
 * How long this machine takes, in milliseconds, for a fixed amount of what the service does most: JSON, maps, hashing and
 * small objects. The least of several rounds: other programs only ever make it slower.
 */
export function calibrate(rounds = 7): number {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(oneRound());
  return Math.min(...samples);
}

function oneRound(): number {
  const started = process.hrtime.bigint();
  let sum = 0;
  for (let index = 0; index < 400; index += 1) {
    const value = {
      id: index,
      items: Array.from({ length: 60 }, (_, n) => ({ name: `item-${n}`, size: n * index })),
    };
    const text = JSON.stringify(value);
    const back = JSON.parse(text) as typeof value;
    const byName = new Map(back.items.map((item) => [item.name, item.size]));
    sum += byName.get('item-7') ?? 0;
    sum += createHash('sha256').update(text).digest('hex').length;
  }
  if (sum === 0) throw new Error('unreachable');
  return Number(process.hrtime.bigint() - started) / 1e6;
}
