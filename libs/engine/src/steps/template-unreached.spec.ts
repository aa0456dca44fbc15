import { describe, expect, it } from 'vitest';
import type { DesiredNodePool, NodeProgress } from '#fleet';
import { PassMemory } from '../pass/pass-memory.js';
import type { Pass } from '../pass/pass.js';
import { templateUnreached } from './template-unreached.js';

const POOLS = [{ name: 'workers' }] as unknown as readonly DesiredNodePool[];
const node = (instanceId: string, outdated = false): Partial<NodeProgress> => ({
  pool: 'workers',
  instanceId,
  outdated,
});

/** A pass whose plan replaces i-1 and i-2; its group launches `version`, of which AWS has made `newest`. */
function passWith(nodes: readonly Partial<NodeProgress>[], version: string, newest: string) {
  const aws = { version, asked: 0 };
  const pass = {
    cluster: { id: 'c' },
    update: { plan: { nodes: [{ pool: 'workers', outdated: ['i-1', 'i-2'] }] } as unknown },
    nodes,
    memory: new PassMemory({}),
    aws: {
      describeNodeGroups: async () => {
        aws.asked += 1;
        return [
          { groupName: 'g', pool: 'workers', launchTemplate: { name: 'lt', version: aws.version } },
          { groupName: 'other', pool: 'spare', launchTemplate: { name: 'lt2', version: '1' } },
        ];
      },
      newestTemplateVersion: async () => newest,
    },
  };
  return { pass: pass as unknown as Pass, plain: pass, aws };
}

describe('a group that goes on launching the version before', () => {
  it('is blocked, and named with both versions', async () => {
    const { pass } = passWith([node('i-1'), node('i-2')], '1', '2');
    expect(await templateUnreached(pass, POOLS)).toMatchObject({
      kind: 'blocked',
      by: 'g launches version 1 of lt, whose newest is 2: what the stack changed reaches no machine',
    });
  });

  it('is still told of by the next update, whose plan changes no stack, until it is mended', async () => {
    const { pass, plain, aws } = passWith([node('i-1')], '1', '2');
    await templateUnreached(pass, POOLS);
    plain.update = { plan: { nodes: [] } };
    expect(await templateUnreached(pass, POOLS)).toMatchObject({ kind: 'blocked' });
    aws.version = '2';
    expect(await templateUnreached(pass, POOLS)).toBeUndefined();
    aws.version = '1';
    expect(await templateUnreached(pass, POOLS)).toBeUndefined();
  });

  it('is no matter where tags were changed and no version was made', async () => {
    const { pass } = passWith([node('i-1')], '1', '1');
    expect(await templateUnreached(pass, POOLS)).toBeUndefined();
  });

  it('costs no call once the planned nodes are gone, or where they are outdated', async () => {
    for (const nodes of [[node('i-3')], [node('i-1', true)]]) {
      const { pass, aws } = passWith(nodes, '1', '2');
      expect(await templateUnreached(pass, POOLS)).toBeUndefined();
      expect(aws.asked).toBe(0);
    }
  });
});
