import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ACCOUNTS, REGION, register, startBed, type Bed } from './support/bed.js';
import { NEW_IMAGE, OLD_IMAGE, type ConfigClone } from './support/config-clone.js';

const STANDARD = 'L-1216C47A';
const ALIAS = 'tight';
/** One machine of the workers' type. */
const WORKER = 4;
const MASTER = 2;

interface PlanRow {
  readonly commit: string;
  readonly plan: {
    readonly blockers: readonly { readonly what: string; readonly remedy: string; readonly owner?: string }[];
    readonly unknown?: readonly string[];
  };
}

/** What an account allows, asked before anything is written. */
describe('quotas in preflight and plan', () => {
  let bed: Bed;
  let clone: ConfigClone;
  let id: string;
  let image = OLD_IMAGE;
  let blocked = '';
  let mayRead: () => void;

  beforeAll(async () => {
    bed = await startBed({ speed: 400 });
    mayRead = bed.sandbox.estate.aws.faults.deny(ACCOUNTS[0], { service: 'servicequotas' });
    id = await register(bed, { alias: ALIAS });
    await bed.ready(ALIAS);
    clone = await bed.clone();
  });
  afterAll(() => bed.close());

  const home = () => bed.sandbox.estate.aws.region(ACCOUNTS[0], REGION);
  const room = (vcpus: number) => home().quotas.change(STANDARD, running() + vcpus);
  /** All types of the estate's clusters are standard ones. */
  const running = (): number =>
    home()
      .instances.all()
      .filter(({ state }) => state === 'pending' || state === 'running')
      .reduce((sum, { instanceType }) => sum + (instanceType === 'm5.xlarge' ? 4 : 2), 0);
  const asked = (): number => calls({ service: 'servicequotas' });
  const calls = (query: object): number => bed.sandbox.estate.aws.calls.count(query);
  const written = (): readonly string[] =>
    bed.sandbox.estate.aws.calls
      .query({ mutating: true })
      .map(({ action }) => action)
      .filter((action) => !/ChangeSet$|^AssumeRole/.test(action) || action === 'ExecuteChangeSet');
  const planOf = (commit: string): Promise<PlanRow['plan']> =>
    eventually(async () => {
      const row = await bed.api.send<PlanRow>('GET', `/api/v1/clusters/${ALIAS}/plan`).catch(() => undefined);
      return row?.commit === commit ? row.plan : undefined;
    }, 'its plan');
  const items = (config_items: Record<string, string>) =>
    bed.api.send('PATCH', `/kubernetes-clusters/${encodeURIComponent(id)}`, { config_items });
  /** A change that replaces every node. */
  const push = async (): Promise<string> => {
    image = image === OLD_IMAGE ? NEW_IMAGE : OLD_IMAGE;
    await clone.setNodeImage(image);
    return clone.publish(`the nodes get ${image}`);
  };

  it('does not know what it may not read, says so, and is not kept from anything', async () => {
    const row = await bed.ready(ALIAS);
    const { unknown = [], blockers } = await planOf(row.current_version ?? '');
    expect(blockers).toEqual([]);
    expect(unknown.join()).toMatch(
      /vCPU quotas of account 111111111111 \(eu-central-1\) allow the new pool .*AccessDenied/,
    );
    mayRead();
  });

  it('changes nothing where not one machine more fits, and says why', async () => {
    await items({ max_surge: '2' });
    await bed.ready(ALIAS);
    room(0);
    const before = written().length;
    blocked = await push();
    const row = await bed.until(ALIAS, 'blocked by a quota', ({ message }) => /quota/.test(message));
    expect(row.message).toMatch(
      /^preflight: blocked by quota L-1216C47A of account 111111111111 \(eu-central-1\): (\d+) of \1 vCPUs run, not even one more m5\.large \(2 vCPUs\)\. Have AWS raise quota L-1216C47A there to \d+ or more/,
    );
    const { blockers } = await planOf(blocked);
    expect(blockers).toMatchObject([{ owner: 'team/platform' }]);
    expect(blockers[0]?.what).toMatch(
      /^the rolls of master-default and worker-default need 8 more vCPUs at the peak; "Running On-Demand Standard .*" allows (\d+) in account 111111111111 \(eu-central-1\), \1 run: not even one more m5\.large/,
    );
    const { problems } = await bed.api.send<{ problems: { type: string }[] }>(
      'GET',
      `/api/v1/clusters/${ALIAS}`,
    );
    expect(problems.map(({ type }) => type.split('/').at(-1))).toContain('quota-exceeded');
    expect(written().slice(before)).toEqual([]);
  });

  it('goes on by itself when one fits, fewer at a time than asked for', async () => {
    room(WORKER);
    await eventually(
      async () => (await planOf(blocked)).blockers.some(({ what }) => /at most 1 more m5.xlarge/.test(what)),
      'a plan that names the rest',
    );
    await bed.ready(ALIAS, blocked, 240_000);
  });

  it('rolls without one machine more where a node may be missing', async () => {
    for (const [key, value] of Object.entries({ max_surge: '0', max_unavailable: '1' })) {
      const path = `/kubernetes-clusters/${encodeURIComponent(id)}/node-pools/worker-default/config-items/${key}`;
      await bed.api.send('PUT', path, { value });
    }
    await bed.ready(ALIAS);
    // The master comes first, as always.
    room(MASTER);
    await bed.ready(ALIAS, await push(), 240_000);
  });

  it('asks for no quota where no machine is needed', async () => {
    const before = asked();
    await clone.edit('cluster/config-defaults.yaml', (text) => `${text}\n# another comment\n`);
    await bed.ready(ALIAS, await clone.publish('nothing for nodes'));
    expect(asked()).toBe(before);
  });
});
