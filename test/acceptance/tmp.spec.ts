import { expect, it } from 'vitest';
import { register, startBed } from './support/bed.js';
import { NEW_IMAGE } from './support/config-clone.js';
import { Outside } from './support/outside.js';

it('works', async () => {
  const t0 = Date.now(); const lap = (w: string) => console.log(w, Date.now() - t0);
  const bed = await startBed({ speed: 400, logLevel: 'warn' });
  lap('bed');
  const outside = new Outside(bed.sandbox.estate);
  const id = await register(bed, { alias: 'one', masters: 1, workers: 2 });
  await bed.ready('one');
  lap('created');
  console.log(outside.launches.length, outside.awsWrites(), outside.clusterWrites(id), outside.executedChangeSets());
  const clone = await bed.clone();
  await clone.setNodeImage(NEW_IMAGE);
  const c = await clone.publish('x');
  await bed.ready('one', c);
  lap('updated');
  console.log(outside.launches.length, outside.awsWrites(), outside.clusterWrites(id), outside.terminations(), outside.executedChangeSets());
  expect(1).toBe(1);
  await bed.close();
  lap('closed');
});
