import { gzipSync } from 'node:zlib';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hours, minutes, sha256Hex } from '#kernel';
import { junit, passing, RealWorld, type Remains } from './support/real-world.js';

const POLICY = `apiVersion: fairway.dev/v1
channels:
- { name: dev, waves: [100%] }
- { name: beta, from: dev, waves: [100%], gates: { converged: {}, conformance: { suites: [quick], clusters: 1 }, soak: 1h } }
suites: { quick: { expectedMin: 3 } }
`;

let world: RealWorld;
const figures: string[] = [];

beforeAll(async () => {
  world = await RealWorld.start(POLICY, ['dev', 'beta']);
  await world.round('dev', 'beta');
});
afterAll(async () => {
  await world.close();
  process.stdout.write(`${figures.map((line) => `  ${line}`).join('\n')}\n`);
});

/** Members of gzip may follow one another: 64 of 16 MiB are one file of 1 GiB. */
function gibibyte(): string {
  const member = gzipSync(Buffer.alloc(16 * 1024 * 1024, 0x20), { level: 1 });
  const base64 = Buffer.concat(Array.from({ length: 64 }, () => member)).toString('base64');
  const lines = base64.match(/.{1,76}/g)?.join('\n') ?? '';
  return `-----BEGIN FAIRWAY JUNIT big.xml-----\n${lines}\n-----END FAIRWAY JUNIT big.xml sha256=${sha256Hex('x')}-----\n`;
}

const bomb = `<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`;
const test = (name: string, inner = ''): string => `<testcase name="${name}">${inner}</testcase>`;
const env = (value: string) => [{ name: 'E2E_DRYRUN', value }];

const FAKES: readonly (readonly [
  what: string,
  remains: () => Partial<Remains>,
  verdict: string,
  reason: string,
])[] = [
  ['no test cases with exit 0', () => ({ log: junit([]) }), 'fail', 'no-tests'],
  ['a dry run', () => ({ env: env('true') }), 'fail', 'dry-run'],
  ['a dry run by "false"', () => ({ env: env('false') }), 'fail', 'dry-run'],
  [
    'all skipped',
    () => ({ log: junit([1, 2, 3].map((n) => test(`t${n}`, '<skipped/>'))) }),
    'fail',
    'all-skipped',
  ],
  [
    'truncated JUnit',
    () => ({ log: passing.slice(0, passing.length - 40) }),
    'inconclusive',
    'truncated-junit',
  ],
  [
    'failures with exit 0',
    () => ({ log: junit([test('a'), test('b'), test('c'), test('d', '<failure/>')]) }),
    'fail',
    'failures-with-exit-0',
  ],
  [
    'another server version at its end',
    () => ({ serverVersion: 'v1.37.0' }),
    'inconclusive',
    'server-version-changed',
  ],
  [
    'a billion laughs',
    () => ({ log: framed(`${bomb}<testsuites><testsuite name="&c;">${test('a')}</testsuite></testsuites>`) }),
    'fail',
    'junit-doctype',
  ],
  ['JUnit of 1 GiB', () => ({ log: gibibyte() }), 'fail', 'junit-too-large'],
  ['an evicted pod', () => ({ exit: 137, podReason: 'Evicted' }), 'inconclusive', 'evicted'],
];

function framed(xml: string): string {
  const lines =
    gzipSync(xml)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return `-----BEGIN FAIRWAY JUNIT f.xml-----\n${lines.join('\n')}\n-----END FAIRWAY JUNIT f.xml sha256=${sha256Hex(xml)}-----\n`;
}

/** A person asks for one more run of the content; the newest verdict counts. */
async function askForRun(id: string): Promise<void> {
  const { channels, leases } = world.stores;
  const [last] = await channels.runsFor({ channel: 'dev' }, 1);
  if (!last) throw new Error('nothing ran yet');
  const lease = await leases.acquire(`schedule/request/${id}`, minutes(5));
  if (!lease) throw new Error('no lease');
  const { verdict: _v, reason: _r, message: _m, startedAt: _s, finishedAt: _f, ...base } = last;
  await channels.saveRun(
    lease,
    { ...base, id, attempt: 1, state: 'pending', failedTests: [], createdAt: world.now() },
    [],
  );
}

const stateOf = async (id: string) => (await world.stores.channels.getRun(id))?.state;
const betaPushes = () => world.pushes.filter(({ branch }) => branch === 'beta');
const betaEligible = async (): Promise<boolean> => {
  const [entry] = await world.stores.channels.channelRevisions('dev', 1);
  return entry?.phase === 'eligible' || entry?.phase === 'promoted';
};

describe('fake evidence on a real database and real Git', () => {
  it('is told by its own reason and never a pass', async () => {
    await world.push('dev', { 'cluster/app.yaml': 'image: 2\n' });
    world.remains = { exit: 0, log: '' };
    await world.round('dev');
    await world.round('dev');
    expect((await world.stores.channels.runsFor({ channel: 'dev' }, 10))[0]).toMatchObject({
      verdict: 'fail',
      reason: 'no-junit',
    });
    for (const [index, [what, remains, verdict, reason]] of FAKES.entries()) {
      world.remains = { exit: 0, log: passing, ...remains() };
      const id = `fake-${index}`;
      world.offset += minutes(10);
      await askForRun(id);
      const delay = monitorEventLoopDelay({ resolution: 5 });
      const before = process.memoryUsage().rss;
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 5);
      delay.enable();
      // What was inconclusive is tried again by itself; a cluster has one run at a time.
      for (let pass = 0; pass < 8 && (await stateOf(id)) !== 'finished'; pass += 1) await world.pass('dev');
      clearInterval(timer);
      delay.disable();
      expect(await world.stores.channels.getRun(id), what).toMatchObject({
        state: 'finished',
        verdict,
        reason,
      });
      if (what === 'JUnit of 1 GiB') {
        figures.push(
          `JUnit of 1 GiB: ${Math.round(most / 1024 / 1024)} MiB more memory, event loop at most ${Math.round(delay.max / 1e6)} ms`,
        );
        expect(most).toBeLessThan(300 * 1024 * 1024);
      }
      expect(await betaEligible(), what).toBe(false);
    }
    expect(betaPushes()).toEqual([]);
    // Nothing of any run is left in the cluster.
    expect(world.jobs.size).toBe(0);
  });

  it('of another content counts for nothing', async () => {
    world.remains = { exit: 0, log: passing };
    const { channels, leases } = world.stores;
    const [last] = await channels.runsFor({ channel: 'dev' }, 1);
    const lease = await leases.acquire('schedule/request/x', minutes(5));
    if (!last || !lease) throw new Error('nothing to copy');
    const other = { state: 'finished', verdict: 'pass', reason: 'passed', executed: 400 } as const;
    const later = { createdAt: world.now() + 1, failedTests: [], attempt: 9 };
    await channels.saveRun(lease, { ...last, ...other, ...later, id: 'o1', treeDigest: 'another' }, []);
    await channels.saveRun(lease, { ...last, ...other, ...later, id: 'o2', desiredDigest: 'another' }, []);
    await channels.saveRun(lease, { ...last, ...other, ...later, id: 'o3', serverVersion: 'v1.35.0' }, []);
    world.offset += hours(3);
    await world.round('dev');
    expect(await betaEligible()).toBe(false);
  });

  it('keeps what the tests printed, masked, when everything else is gone', async () => {
    const log = await world.stores.channels.conformanceLog('fake-0');
    expect(log?.text).toBe('Will run 5 of 9 specs\n•••••\npassword=***\n');
  });
});

describe('promotion on a real database and real Git', () => {
  it('outlasts an hour without the Git host: nothing moves, one problem, and it heals', async () => {
    world.remains = { exit: 0, log: passing };
    world.offset += minutes(10);
    await askForRun('real');
    await world.pass('dev');
    await world.round('dev');
    expect(await world.stores.channels.getRun('real')).toMatchObject({ verdict: 'pass', executed: 5 });
    world.offset += minutes(30);
    await world.round('dev');
    const heads = await world.server.heads('config');
    const admitted = async () =>
      (await world.stores.updates.channelStandings('dev')).map((one) => [one.id, one.admittedRevisionId]);
    const before = await admitted();
    world.server.setFault({ kind: 'status', status: 503 });
    for (let minute = 0; minute < 60; minute += 10) {
      world.offset += minutes(10);
      expect(await world.fetch()).toBe('failed');
      await world.pass('dev');
      await world.pass('beta');
    }
    expect(await admitted()).toEqual(before);
    expect((await world.entry('dev'))?.soak?.accumulated).toBeGreaterThanOrEqual(hours(1));
    world.server.setFault(undefined);
    expect(await world.server.heads('config')).toEqual(heads);
    const raised = async (type: string) =>
      (await world.stores.outbox.eventsAfter(0, 1_000)).filter(
        (one) => one.type === type && one.subject.startsWith('repository/'),
      );
    expect(await raised('problem.raised')).toHaveLength(1);
    expect(betaPushes()).toEqual([]);
    await world.fetch();
    expect(await raised('problem.resolved')).toHaveLength(1);
  });

  it('by two workers at once is one update of the branch', async () => {
    await Promise.all([0, 1, 0, 1].map((worker) => world.pass('dev', worker)));
    for (let tries = 0; tries < 3 && betaPushes().length === 0; tries += 1)
      await Promise.all([world.pass('dev', 0), world.pass('dev', 1)]);
    expect(betaPushes()).toHaveLength(1);
    expect(await world.head('beta')).toBe(await world.head('dev'));
    const done = await world.stores.channels.promotions(10, { toChannel: 'beta', state: 'done' });
    expect(done).toHaveLength(1);
    expect(done[0]?.evidence.every((one) => one.state === 'pass')).toBe(true);
    await world.round('dev', 'beta');
    expect(await world.entry('beta')).toMatchObject({ admitted: true });
    expect((await world.stores.channels.promotions(10)).map((one) => one.state)).toEqual(['done']);
  });

  it('goes on soaking under another commit of the same content, and holds what a person merges', async () => {
    const soaked = (await world.entry('dev'))?.verifiedAt;
    await world.push('dev', { 'README.md': 'words\n' });
    await world.round('dev', 'beta');
    expect(await world.entry('dev')).toMatchObject({ verifiedAt: soaked });
    // Same content: automation follows at once.
    expect(await world.head('beta')).toBe(await world.head('dev'));
    await world.push('beta', { 'cluster/app.yaml': 'image: by hand\n' });
    await world.round('beta');
    expect(await world.entry('beta')).toMatchObject({ phase: 'held', admitted: false });
  });

  it('pauses a channel whose history was rewritten, and one whose branch is gone keeps what it has', async () => {
    await world.person('fetch', '--quiet', 'origin');
    await world.person('push', '--quiet', '--force', 'origin', 'origin/dev~1:refs/heads/beta');
    await world.round('beta');
    const paused = async () =>
      (await world.stores.channels.listChannels()).find(({ name }) => name === 'beta')?.pausedReason;
    expect(await paused()).toBe('history-rewritten');
    const before = await world.entry('beta');
    await world.person('push', '--quiet', 'origin', ':refs/heads/beta');
    // A tag of the same name is no branch.
    await world.person('tag', 'beta', 'origin/dev');
    await world.person('push', '--quiet', 'origin', 'refs/tags/beta');
    await world.round('dev', 'beta');
    expect((await world.entry('beta'))?.revisionId).toBe(before?.revisionId);
    expect(await world.head('beta')).toBeUndefined();
  });
});
