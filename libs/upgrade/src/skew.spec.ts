import { describe, expect, it } from 'vitest';
import { checkSkew } from './skew.js';
import type { SkewQuestion } from './types.js';
import { parseVersion } from './version.js';

const kubelets = (...versions: string[]) => versions.map((version, i) => ({ name: `n${i}`, version }));
const rules = (question: SkewQuestion): readonly string[] =>
  checkSkew(question).map((violation) => violation.rule);

describe('parseVersion', () => {
  it.each([
    ['v1.36.2', 1, 36, 2],
    ['1.36', 1, 36, 0],
    ['v1.36.0-eks-1', 1, 36, 0],
    ['v1.30.1+k3s1', 1, 30, 1],
  ])('reads %s', (text, major, minor, patch) =>
    expect(parseVersion(text)).toEqual({ major, minor, patch, text }),
  );
  it.each(['', 'latest', '1', 'v1.x'])('does not read %o', (text) =>
    expect(parseVersion(text)).toBeUndefined(),
  );
});

describe('checkSkew', () => {
  it.each<[string, SkewQuestion, readonly string[]]>([
    ['all equal', { apiServers: ['v1.36.0'], kubelets: kubelets('v1.36.0') }, []],
    [
      'a node whose kubelet never reported',
      { apiServers: ['v1.36.0'], kubelets: kubelets('', 'v1.36.0') },
      [],
    ],
    ['three behind', { apiServers: ['v1.36.0'], kubelets: kubelets('v1.33.9') }, []],
    ['four behind', { apiServers: ['v1.36.0'], kubelets: kubelets('v1.32.0') }, ['kubelet-too-old']],
    ['two behind before 1.25', { apiServers: ['v1.26.0'], kubelets: kubelets('v1.24.0') }, []],
    [
      'three behind before 1.25',
      { apiServers: ['v1.27.0'], kubelets: kubelets('v1.24.0') },
      ['kubelet-too-old'],
    ],
    ['kubelet ahead', { apiServers: ['v1.35.0'], kubelets: kubelets('v1.36.0') }, ['kubelet-ahead']],
    [
      'mixed API servers, kubelet at the newer',
      { apiServers: ['v1.35.0', 'v1.36.0'], kubelets: kubelets('v1.36.0') },
      ['kubelet-ahead'],
    ],
    [
      'mixed API servers narrow the range',
      { apiServers: ['v1.35.0', 'v1.36.0'], kubelets: kubelets('v1.32.0') },
      ['kubelet-too-old'],
    ],
    ['API servers two apart', { apiServers: ['v1.34.0', 'v1.36.0'], kubelets: [] }, ['api-servers-apart']],
    ['jump', { apiServers: ['v1.34.0'], kubelets: [], target: '1.36.0' }, ['control-plane-jump']],
    ['one up', { apiServers: ['v1.35.0'], kubelets: kubelets('v1.35.0'), target: '1.36.0' }, []],
    [
      'in the middle of one up',
      { apiServers: ['v1.35.0', 'v1.36.0'], kubelets: kubelets('v1.35.0'), target: '1.36.0' },
      [],
    ],
    ['down', { apiServers: ['v1.36.0'], kubelets: [], target: 'v1.35.0' }, ['control-plane-downgrade']],
    [
      'target too far for a worker',
      { apiServers: ['v1.35.0'], kubelets: kubelets('v1.32.0'), target: '1.36.0' },
      ['kubelet-too-old'],
    ],
    [
      'workers ahead wait',
      { apiServers: ['v1.35.0'], kubelets: [], workerTarget: '1.36.0' },
      ['workers-ahead'],
    ],
    [
      'scheduler ahead',
      { apiServers: ['v1.35.0'], kubelets: [], controllers: [{ name: 's', version: 'v1.36.0' }] },
      ['controller-ahead'],
    ],
    [
      'scheduler two behind',
      { apiServers: ['v1.36.0'], kubelets: [], controllers: [{ name: 's', version: 'v1.34.0' }] },
      ['controller-too-old'],
    ],
    [
      'a master in the middle of an update: its kubelet talks to its own API server',
      {
        apiServers: ['v1.35.0', 'v1.36.0'],
        kubelets: [{ name: 'm1', version: 'v1.36.0', master: true }, ...kubelets('v1.35.0')],
      },
      [],
    ],
    [
      'a master newer than every API server',
      { apiServers: ['v1.35.0'], kubelets: [{ name: 'm1', version: 'v1.36.0', master: true }] },
      ['kubelet-ahead'],
    ],
    [
      'kube-proxy ahead',
      { apiServers: ['v1.35.0'], kubelets: [], proxies: [{ name: 'n0', version: 'v1.36.0' }] },
      ['proxy-ahead'],
    ],
    [
      'kube-proxy four behind',
      { apiServers: ['v1.36.0'], kubelets: [], proxies: [{ name: 'n0', version: 'v1.32.0' }] },
      ['proxy-too-old'],
    ],
    [
      'kubectl one ahead',
      { apiServers: ['v1.35.0'], kubelets: [], clients: [{ name: 'kubectl', version: 'v1.36.0' }] },
      [],
    ],
    [
      'kubectl ahead of the newer one of mixed API servers',
      {
        apiServers: ['v1.34.0', 'v1.35.0'],
        kubelets: [],
        clients: [{ name: 'kubectl', version: 'v1.36.0' }],
      },
      ['client-apart'],
    ],
    [
      'kubectl two behind',
      { apiServers: ['v1.36.0'], kubelets: [], clients: [{ name: 'kubectl', version: 'v1.34.0' }] },
      ['client-apart'],
    ],
    [
      'workers wanted too old',
      { apiServers: ['v1.36.0'], kubelets: [], workerTarget: '1.32.0' },
      ['workers-too-old'],
    ],
    [
      'half-way, back',
      { apiServers: ['v1.35.0', 'v1.36.0'], kubelets: [], target: '1.35.9' },
      ['control-plane-downgrade'],
    ],
    [
      'half-way, further',
      { apiServers: ['v1.35.0', 'v1.36.0'], kubelets: [], target: '1.37.0' },
      ['control-plane-jump'],
    ],
    ['a patch back', { apiServers: ['v1.36.4'], kubelets: kubelets('v1.36.4'), target: '1.36.1' }, []],
    ['another major', { apiServers: ['v1.36.4'], kubelets: [], target: '2.0.0' }, ['other-major']],
    ['nonsense', { apiServers: ['v1.36.0'], kubelets: kubelets('what') }, ['unreadable-version']],
    ['patches do not count', { apiServers: ['v1.36.0', 'v1.36.9'], kubelets: kubelets('v1.36.5') }, []],
  ])('%s', (_, question, expected) => expect(rules(question)).toEqual(expected));

  it('only waits for workers that are ahead', () => {
    const [violation] = checkSkew({ apiServers: ['v1.35.0'], kubelets: [], workerTarget: '1.36.0' });
    expect(violation?.waits).toBe(true);
  });
});
