import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, startBed, type Bed } from '../acceptance/support/bed.js';
import { OLD_IMAGE, type ConfigClone } from '../acceptance/support/config-clone.js';
import { eventually } from '../support/eventually.js';

const REBUILT = 'ami-0a1310000000000f9';

interface Inputs {
  readonly version: number;
  readonly reason: string;
  readonly inputs: { readonly images: Readonly<Record<string, string>> };
  readonly observed: { readonly clusterStackOutputs?: Readonly<Record<string, string>> };
  readonly versions: readonly { readonly version: number }[];
}
interface EventRow {
  readonly type: string;
  readonly message: string;
}

/** One cluster, locked once; later tests build on what earlier ones left. */
describe('inputs lock', () => {
  let bed: Bed;
  let clone: ConfigClone;

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    await register(bed, { alias: 'first' });
    await bed.ready('first');
    clone = await bed.clone();
  }, 480_000);
  afterAll(() => bed.close());

  const inputs = () => bed.api.send<Inputs>('GET', '/api/v1/clusters/first/inputs');
  const events = async (type: string): Promise<readonly EventRow[]> =>
    (await bed.api.send<{ items: EventRow[] }>('GET', `/api/v1/events?type=${type}&limit=200`)).items.filter(
      (event) => event.type === type,
    );
  const plan = () =>
    bed.api.send<{ plan: { pools?: readonly { willRoll?: number }[] } }>(
      'GET',
      '/api/v1/clusters/first/plan',
    );

  it('is made by the first render, and shows what is observed beside it', async () => {
    const shown = await inputs();
    expect(shown).toMatchObject({ version: 1, versions: [{ version: 1 }] });
    expect(shown.inputs.images).toEqual({ [`${OLD_IMAGE}|861068367966`]: 'ami-0a1310000000000a1' });
    expect(shown.observed.clusterStackOutputs).not.toEqual({});
    expect(JSON.stringify(shown)).not.toContain('decrypted');
    expect(await events('inputs.locked')).toHaveLength(1);
    // The lock that a first update makes is its own: it starts no second one.
    expect((await events('update.started')).filter(({ message }) => message.includes('supersedes'))).toEqual(
      [],
    );
  });

  it('is what an update renders with, whatever AWS says by now', async () => {
    const { images } = bed.sandbox.estate.aws;
    const at = images.findIndex(({ name }) => name === OLD_IMAGE);
    const old = images[at] as (typeof images)[number];
    images.push({ ...old, name: 'kept-for-running-machines' });
    images[at] = { ...old, id: REBUILT };
    await clone.edit('cluster/config-defaults.yaml', (text) =>
      text.replace('coredns_cpu: "100m"', 'coredns_cpu: "110m"'),
    );
    const commit = await clone.publish('more for coredns');
    await bed.ready('first', commit, 60_000);
    expect(await inputs()).toMatchObject({ version: 1 });
    expect(await events('inputs.changed')).toEqual([]);
    expect(bed.sandbox.estate.evidence()).toMatchObject({ terminatedTwice: [] });
  });

  it('gets what a revision asks for beside what it has, with an event that names it', async () => {
    await clone.edit('cluster/manifests/coredns/deployment.yaml', (text) =>
      text.replace(/^/, '# {{ amiID "fairway-node-1.32.1-20251124" "861068367966" }}\n'),
    );
    const commit = await clone.publish('names another image');
    await bed.ready('first', commit, 60_000);
    const shown = await inputs();
    expect(shown.version).toBe(2);
    expect(shown.inputs.images).toEqual({
      [`${OLD_IMAGE}|861068367966`]: 'ami-0a1310000000000a1',
      'fairway-node-1.32.1-20251124|861068367966': 'ami-0a1320000000000b1',
    });
    const [changed] = await events('inputs.changed');
    expect(changed?.message).toContain('added images.fairway-node-1.32.1-20251124|861068367966');
  });

  it('changes by a refresh: a version, an event with the difference, and an update with a plan', async () => {
    const before = await bed.api.cluster('first');
    await bed.api.send('POST', '/api/v1/clusters/first/inputs/refresh', { reason: 'the image was rebuilt' });
    const shown = await eventually(
      async () => ((await inputs()).version === 3 ? inputs() : undefined),
      'version 3',
    );
    expect(shown.inputs.images[`${OLD_IMAGE}|861068367966`]).toBe(REBUILT);
    const changed = (await events('inputs.changed')).find(({ message }) => message.includes('inputs lock 3'));
    expect(changed?.message).toContain(`ami-0a1310000000000a1 → ${REBUILT}`);
    expect(changed?.message).toContain('the image was rebuilt');
    const after = await bed.until(
      'first',
      'a new update is done',
      (row) => row.phase === 'ready' && row.update_id !== before.update_id,
    );
    expect(after.current_version).toBe(before.current_version);
    expect(JSON.stringify(await plan())).toContain('worker-default');
    expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
  }, 480_000);

  it('stays as it is when a refresh finds nothing new', async () => {
    const before = await bed.api.cluster('first');
    await bed.api.send('POST', '/api/v1/clusters/first/inputs/refresh', { reason: 'to be sure' });
    await eventually(
      async () => ((await events('inputs.refreshed')).length > 0 ? true : undefined),
      'the answer',
    );
    expect((await inputs()).version).toBe(3);
    expect((await bed.api.cluster('first')).update_id).toBe(before.update_id);
  });

  it('wants a reason, and a cluster that is there', async () => {
    expect((await bed.api.try('POST', '/api/v1/clusters/first/inputs/refresh', {})).status).toBe(400);
    expect((await bed.api.try('GET', '/api/v1/clusters/nobody/inputs')).status).toBe(404);
  });
});
