import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Killed, type ComponentInput } from '../support/steps-bed.js';
import { failureOf } from './kubernetes-adapter.fixture.js';
import { StepsSpace, type StepsTarget } from './kubernetes-steps.fixture.js';

/** What may be deleted and what may not, on any API server without controllers; and processes that die meanwhile. */
export function stepsPruneContract(
  name: string,
  makeTarget: () => Promise<StepsTarget>,
  /** Dies after every so many calls: 1 tries them all. */
  everyCall = 1,
): void {
  describe(`The prune step on ${name}`, () => {
    let steps: StepsSpace;
    beforeEach(async () => {
      steps = await StepsSpace.open(await makeTarget());
    });
    afterEach(() => steps?.close());

    const confirm = async (): Promise<void> => {
      const state = await steps.bed.stores.updates.pruneState(steps.bed.clusterId);
      await steps.bed.request('confirm-prune', state?.digest ?? '');
    };

    it('keeps a component that vanished until a tombstone says so; an empty render keeps everything', async () => {
      const both = [
        { name: 'a', objects: steps.maps(0, 2) },
        { name: 'b', objects: steps.maps(2, 4) },
      ];
      await steps.settled(both);
      const { report } = await steps.settled([{ name: 'a', objects: steps.maps(0, 2) }]);
      expect(report.problems).toMatchObject([
        { title: 'prune blocked: component vanished', hint: expect.stringContaining('removed: true') },
      ]);
      await steps.settled([]);
      expect(await steps.ours()).toEqual(['m-0', 'm-1', 'm-2', 'm-3']);
      await steps.settled([
        { name: 'a', objects: steps.maps(0, 2) },
        { name: 'b', objects: [], removed: true },
      ]);
      expect(await steps.ours()).toEqual(['m-0', 'm-1']);
    });

    it('30 of 100 objects wait for a confirmation of exactly this set', async () => {
      await steps.settled([{ name: 'a', objects: steps.maps(0, 100) }]);
      const { report } = await steps.settled([{ name: 'a', objects: steps.maps(30, 100) }]);
      expect(report.problems[0]).toMatchObject({
        title: 'prune blocked: over budget',
        detail: expect.stringContaining('30 objects would go at once, 10 may'),
      });
      expect(await steps.ours()).toHaveLength(100);
      await confirm();
      expect((await steps.bed.pass()).prune).toMatchObject({ summary: '30 objects deleted' });
      expect(await steps.ours()).toHaveLength(70);
    });

    it('leaves what is not ours or may not go, and says so', async () => {
      await steps.settled([{ name: 'a', objects: steps.maps(0, 6) }]);
      const labels = (await steps.live('v1', 'ConfigMap', 'm-1'))?.metadata.labels ?? {};
      const ref = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: steps.ns, name });
      // Somebody deleted it and made another one under our labels.
      await steps.port.delete(ref('m-1'), {});
      for (const name of ['m-1', 'foreign']) {
        await steps.port.create({ ...steps.map(name), metadata: { name, namespace: steps.ns, labels } });
      }
      const edit = (name: string, metadata: Record<string, unknown>) =>
        steps.patch(steps.configMapPath(name), 'merge', { metadata });
      await edit('m-2', { annotations: { 'fairway.dev/prune': 'disabled' } });
      await edit('m-3', { labels: { 'fairway.dev/cluster': 'another' } });
      await steps.port.create(steps.map('m-4-probe'));
      const stop = await steps.addWebhook(
        {
          name: `guard-${steps.id}.example.org`,
          kind: 'Validating',
          operations: ['DELETE'],
          group: '',
          resource: 'configmaps',
          namespace: steps.ns,
          review: ({ name: asked }) => (asked.startsWith('m-4') ? { deny: `${asked} is needed` } : 'allow'),
        },
        async () => {
          const refused = await failureOf(steps.port.delete(ref('m-4-probe'), {}));
          if (!refused) await steps.port.create(steps.map('m-4-probe'));
          return refused !== undefined;
        },
      );
      const { prune, report } = await steps.settled([{ name: 'a', objects: steps.maps(0, 1) }]);
      expect(prune).toMatchObject({ kind: 'done', summary: '1 objects deleted, 4 kept' });
      const words = report.problems.map(({ detail }) => detail).join('\n');
      expect(words).toMatch(/m-1: somebody deleted it and created it again/);
      expect(words).toMatch(/m-2: annotation fairway.dev\/prune: disabled/);
      expect(words).toMatch(/m-3: it does not carry the labels/);
      expect(words).toMatch(/m-4.*guard-\w+.example.org.*m-4 is needed/);
      expect(await steps.ours()).toEqual(['foreign', 'm-0', 'm-1', 'm-2', 'm-3', 'm-4']);
      await stop();
    });
  });

  describe(`A process that dies on ${name}`, () => {
    let steps: StepsSpace;
    beforeAll(async () => {
      steps = await StepsSpace.open(await makeTarget());
    });
    afterAll(() => steps?.close());

    it('after any call leaves no orphan, loses nothing and makes nothing twice', async () => {
      const first = (): readonly ComponentInput[] => [
        { name: 'a', objects: steps.maps(0, 6) },
        { name: 'b', objects: [] },
      ];
      /** Adds m-6 to m-8, changes m-0, drops m-4 and m-5. */
      const second = (): readonly ComponentInput[] => [
        { name: 'a', objects: [steps.map('m-0', { a: '2' }), ...steps.maps(1, 4)] },
        { name: 'b', objects: steps.maps(6, 9) },
      ];
      /** Drops more: m-3, m-7 and m-8. */
      const third = (): readonly ComponentInput[] => [
        { name: 'a', objects: [steps.map('m-0', { a: '2' }), ...steps.maps(1, 3)] },
        { name: 'b', objects: steps.maps(6, 7) },
      ];
      let deaths = 0;
      for (let calls = 1; ; calls += everyCall) {
        steps.bed.restart();
        await steps.settled(first());
        const uid = (await steps.live('v1', 'ConfigMap', 'm-1'))?.metadata.uid;
        steps.bed.commit(second());
        steps.bed.dieAfter(calls);
        const died = await steps.bed.settle().then(
          () => false,
          (error: unknown) => {
            if (error instanceof Killed) return true;
            throw error;
          },
        );
        steps.bed.restart();
        const result = await steps.settled(third());
        expect(result.report.problems, `after ${calls} calls`).toEqual([]);
        expect(await steps.ours(), `after ${calls} calls`).toEqual(['m-0', 'm-1', 'm-2', 'm-6']);
        expect((await steps.live('v1', 'ConfigMap', 'm-1'))?.metadata.uid).toBe(uid);
        expect((await steps.live('v1', 'ConfigMap', 'm-0'))?.['data']).toEqual({ a: '2' });
        if (!died) break;
        deaths += 1;
      }
      expect(deaths).toBeGreaterThan(15 / everyCall);
    }, 180_000);
  });
}
