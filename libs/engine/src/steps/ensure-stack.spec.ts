import { describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import type { StackTemplate } from '#fleet';
import { PassMemory } from '../pass/pass-memory.js';
import type { Pass } from '../pass/pass.js';
import { ensureStack } from './ensure-stack.js';

const NAME = 'nodepool-workers';
const FILE = 'cluster/node-pools/worker/stack.yaml';
const stack = { name: NAME, file: FILE, body: '', parameters: {}, tags: {} } as unknown as StackTemplate;

/** One stack in the state that a test says, and how often its rollback was continued. */
function bed(status: string) {
  const world = { now: 0, status, reason: 'it holds an address', continued: 0 };
  const pass = {
    memory: new PassMemory({}),
    update: { id: 'u1' },
    holds: [],
    settings: { pollInterval: 1 },
    ports: { clock: { now: () => world.now } },
    report: { events: [], problems: [] },
    intents: {
      leftOpen: async () => [],
      settle: async () => undefined,
      perform: async (_intent: unknown, deed: () => Promise<void>) => deed(),
    },
    aws: {
      describeStack: async () => ({ name: NAME, id: '1', status: world.status }),
      continueRollback: async () => void (world.continued += 1),
      prepareStackChange: async () => ({ kind: 'none' }),
      stackFailures: async () => [{ resource: 'Group', status: 'UPDATE_FAILED', reason: world.reason }],
    },
  } as unknown as Pass;
  return { world, look: () => ensureStack(pass, 'node-pools', stack) };
}

describe('a stack whose rollback failed', () => {
  it('is continued a few times at once, then told and continued now and then', async () => {
    const { world, look } = bed('UPDATE_ROLLBACK_FAILED');
    for (let time = 1; time <= 3; time++) {
      expect(await look()).toMatchObject({ kind: 'waiting' });
      expect(world.continued).toBe(time);
    }
    for (let time = 0; time < 5; time++)
      expect(await look()).toMatchObject({
        kind: 'failed',
        failure: {
          class: 'blocked',
          code: 'stack-rollback-failed',
          message: expect.stringContaining('Group: it holds an address'),
        },
      });
    expect(world.continued).toBe(3);
    world.now += minutes(11);
    expect(await look()).toMatchObject({ kind: 'waiting' });
    world.status = 'UPDATE_ROLLBACK_IN_PROGRESS';
    expect(await look()).toMatchObject({ kind: 'waiting' });
    world.status = 'UPDATE_ROLLBACK_FAILED';
    expect(await look()).toMatchObject({ kind: 'failed' });
    expect(world.continued).toBe(4);
  });

  it('is continued at once again after it was well in between', async () => {
    const { world, look } = bed('UPDATE_ROLLBACK_FAILED');
    for (let time = 0; time < 4; time++) await look();
    world.status = 'UPDATE_ROLLBACK_COMPLETE';
    await look();
    world.status = 'UPDATE_ROLLBACK_FAILED';
    expect(await look()).toMatchObject({ kind: 'waiting' });
  });
});

it.each(['CREATE_FAILED', 'ROLLBACK_FAILED', 'DELETE_FAILED'])(
  'a stack in %s is not to be mended by a merge, and the hint says what does',
  async (status) => {
    const failure = { code: 'stack-failed', hint: expect.stringContaining(`delete stack ${NAME} by hand`) };
    expect(await bed(status).look()).toMatchObject({ kind: 'failed', failure });
  },
);

it('an update that failed at what somebody deleted says how it is made again', async () => {
  const { world, look } = bed('UPDATE_COMPLETE');
  await look();
  world.status = 'UPDATE_ROLLBACK_COMPLETE';
  expect(await look()).toMatchObject({ failure: { hint: expect.not.stringContaining('delete the stack') } });
  world.reason = 'The specified launch template, with template ID lt-1, does not exist.';
  expect(await look()).toMatchObject({ failure: { hint: expect.stringContaining('delete the stack') } });
});
