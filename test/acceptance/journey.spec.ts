import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { register, startBed, type Bed } from './support/bed.js';
import type { RevisionRow } from './support/api-client.js';
import { NEW_IMAGE, type ConfigClone } from './support/config-clone.js';
import { Outside, repeated } from './support/outside.js';
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js';

const BREAKING =
  'sim.fairway.dev/breaks-conformance: "[sig-network] Services should serve a basic endpoint from pods [Conformance]"';

/** One push, from dev to alpha, on two small clusters; later tests build on what earlier ones left. */
describe('the journey of a change', () => {
  let bed: Bed;
  let clone: ConfigClone;
  let outside: Outside;
  let receiver: WebhookReceiver;
  let good: string;

  beforeAll(async () => {
    receiver = await startWebhookReceiver();
    bed = await startBed({
      speed: 400,
      environment: { FAIRWAY_WEBHOOK_URL: receiver.url, FAIRWAY_WEBHOOK_SECRET: receiver.secret },
    });
    outside = new Outside(bed.sandbox.estate);
    await register(bed, { alias: 'first', channel: 'dev' });
    await register(bed, { alias: 'second', channel: 'alpha', localId: 'kube-2' });
    await Promise.all([bed.ready('first'), bed.ready('second')]);
    clone = await bed.clone();
  });
  afterAll(async () => {
    outside.close();
    await bed.close();
    await receiver.close();
  });

  const head = async (channel: string): Promise<RevisionRow | undefined> =>
    (await bed.api.channel(channel)).head;

  it('goes to dev, is proven there, and reaches alpha by a fast-forward', async () => {
    const before = (await bed.sandbox.git.heads('config')).get('alpha') as string;
    await clone.setNodeImage(NEW_IMAGE);
    good = await clone.publish('another node image');
    await bed.ready('first', good);
    expect((await bed.api.cluster('second')).current_version).toBe(before);
    await bed.ready('second', good);
    expect((await bed.sandbox.git.heads('config')).get('alpha')).toBe(good);
    await clone.git('fetch', '--quiet', 'origin');
    expect(await clone.git('rev-list', '--parents', '-1', 'origin/alpha')).toBe(`${good} ${before}`);
    const { items } = await bed.api.send<{ items: { state: string; verdict?: string; commit: string }[] }>(
      'GET',
      '/api/v1/channels/dev/conformance',
    );
    expect(items.filter((run) => run.commit === good)).toMatchObject([
      { state: 'finished', verdict: 'pass' },
    ]);
    expect(repeated(outside.terminations())).toEqual([]);
    expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
  });

  it('tells the plan, the steps and the history', async () => {
    const { items } = await bed.api.send<{
      items: { commit: string; state: string; plan_digest?: string }[];
    }>('GET', '/api/v1/clusters/second/updates');
    expect(items[0]).toMatchObject({ commit: good, state: 'succeeded', plan_digest: expect.any(String) });
    const row = await bed.api.send<{ steps: { state: string }[]; last_version: string }>(
      'GET',
      '/api/v1/clusters/second',
    );
    expect(row.steps.every(({ state }) => state === 'done')).toBe(true);
  });

  it('does not roll out a merge to beta that was made by hand and has no evidence', async () => {
    const byHand = await bed.clone();
    await byHand.git('checkout', '--quiet', '-b', 'hand', 'origin/beta');
    await byHand.edit('cluster/config-defaults.yaml', (text) =>
      text.replace('shop_greeting: "Welcome"', 'shop_greeting: "Hello"'),
    );
    const commit = await byHand.publish('straight to beta', 'beta');
    const row = await eventually(async () => {
      const entry = await head('beta');
      return entry?.commit === commit && entry.phase === 'held' ? entry : undefined;
    }, 'the merge being held');
    expect(row.why_not_yet.length).toBeGreaterThan(0);
  });

  it('stops at a red conformance run', async () => {
    await clone.edit('cluster/manifests/ingress/configmap.yaml', (text) =>
      text.replace(/^metadata:\n/m, `metadata:\n  annotations:\n    ${BREAKING}\n`),
    );
    const bad = await clone.publish('breaks the service network');
    await eventually(
      async () => {
        const entry = await head('dev');
        return entry?.commit === bad && entry.phase === 'failed';
      },
      'the revision failing in dev',
      120_000,
    );
    expect((await bed.sandbox.git.heads('config')).get('alpha')).toBe(good);
    expect((await bed.api.cluster('second')).current_version).toBe(good);
    expect((await head('dev'))?.why_not_yet.map(({ message }) => message).join(' ')).toMatch(/quick/);
  });

  it('told it all to the webhook, signed, one id for one event', async () => {
    for (const type of ['revision.seen', 'conformance.passed', 'promotion.done', 'conformance.failed']) {
      await eventually(() => receiver.received.some((one) => one.type === type), `a webhook of ${type}`);
    }
    expect(receiver.received.filter(({ signed }) => !signed)).toEqual([]);
    const ids = new Map(receiver.received.map(({ id, eventId }) => [id, eventId]));
    expect(new Set(ids.values()).size).toBe(ids.size);
  });
});
