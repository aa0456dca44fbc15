import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { deployment, kubernetesBed } from './kubernetes-wire.bed.js';

const bed = kubernetesBed();
const run = promisify(execFile);
const kubectlFound = await run('kubectl', ['version', '--client']).then(
  () => true,
  () => false,
);
if (!kubectlFound) console.warn('kubectl not found: the kubectl part of this contract did not run');

describe.skipIf(!kubectlFound)('kubectl', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'fairway-kubectl-'));
    await writeFile(join(home, 'kubeconfig'), bed.wire.kubeconfig(bed.cluster.id), { mode: 0o600 });
    await writeFile(join(home, 'web.json'), JSON.stringify(deployment('i:1')));
    return () => rm(home, { recursive: true, force: true });
  });
  const kubectl = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, HOME: home, KUBECONFIG: join(home, 'kubeconfig') };
    const { stdout } = await run('kubectl', args, { env });
    return stdout.trim();
  };

  it('applies by both ways, diffs, patches, cordons and drains', async () => {
    const file = join(home, 'web.json');
    expect(await kubectl('apply', '-f', file)).toBe('deployment.apps/web created');
    expect(await kubectl('apply', '-f', file)).toBe('deployment.apps/web unchanged');
    expect(await kubectl('diff', '-f', file)).toBe('');
    const before = bed.store.get('deployments.apps', 'default', 'web')?.metadata.generation;
    expect(await kubectl('apply', '--server-side', '-f', file)).toBe(
      'deployment.apps/web serverside-applied',
    );
    expect(bed.store.get('deployments.apps', 'default', 'web')?.metadata.generation).toBe(before);
    expect(await kubectl('get', 'deploy', '--no-headers')).toMatch(/^web +0\/2 /);
    expect(await kubectl('create', 'namespace', 'made')).toBe('namespace/made created');
    expect(await kubectl('delete', 'namespace', 'made')).toContain('deleted');
    bed.store.create('nodes', { metadata: { name: 'n1' } });
    await kubectl('cordon', 'n1');
    await kubectl('label', 'node', 'n1', 'a=b');
    expect(await kubectl('get', 'node', 'n1', '--no-headers')).toMatch(/^n1 +Unknown,SchedulingDisabled/);
    bed.store.create('pods', {
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i:1' }] },
    });
    bed.store.bind('default', 'p', 'n1');
    bed.store.subscribe(({ type, object }) => {
      if (type === 'MODIFIED' && object.kind === 'Pod')
        bed.store.finalizeDelete('pods', 'default', object.metadata.name);
    });
    expect(await kubectl('drain', 'n1', '--force')).toContain('node/n1 drained');
    expect(bed.store.get('pods', 'default', 'p')).toBeUndefined();
  });
});
