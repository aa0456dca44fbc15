import { FailureError } from '#kernel';
import type { KubernetesPort } from '#ports';
import { describe, expect, it } from 'vitest';
import { PassMemory } from '../pass/pass-memory.js';
import type { Pass } from '../pass/pass.js';
import { removedApisInUse } from './upgrade-check.js';

const REQUESTED = {
  name: 'apiserver_requested_deprecated_apis',
  labels: {
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1beta3',
    resource: 'flowschemas',
    removed_release: '1.32',
  },
  value: 1,
};

function passOf(
  version: string,
  more: { readonly items?: Record<string, string>; readonly port?: Partial<KubernetesPort> } = {},
): Pass {
  const kubernetes = {
    ready: async () => true,
    serverVersion: async () => 'v1.31.4',
    metrics: async () => [REQUESTED],
    list: async () => [],
    ...more.port,
  };
  return {
    desired: { kubernetesVersion: version },
    cluster: { id: 'c', configItems: more.items ?? {}, lifecycleStatus: 'ready' },
    kubernetes,
    memory: new PassMemory({}),
    ports: { clock: { now: () => 0 }, log: { warn: () => undefined } },
    report: { problems: [] },
  } as unknown as Pass;
}
const denied = async (): Promise<never> => {
  throw new FailureError({ class: 'denied', code: 'api-denied', message: 'no' });
};

describe('removedApisInUse', () => {
  it('blocks a change of the minor that takes an API away which is asked for, by name and with the way out', async () => {
    const outcome = await removedApisInUse(passOf('1.32.1'));
    expect(outcome).toMatchObject({
      kind: 'blocked',
      by: expect.stringContaining('flowschemas as flowcontrol.apiserver.k8s.io/v1beta3 (gone in 1.32)'),
      unblock: expect.stringContaining('upgrade_accepted_findings: "api-removed-in-target"'),
    });
  });

  it.each<[string, Pass]>([
    ['the minor stays', passOf('1.31.9')],
    ['no version is configured', passOf('')],
    [
      'it is accepted',
      passOf('1.32.1', { items: { upgrade_accepted_findings: 'x, api-removed-in-target' } }),
    ],
    ['nobody asks', passOf('1.32.1', { port: { metrics: async () => [{ ...REQUESTED, value: 0 }] } })],
    [
      'it goes later',
      passOf('1.32.1', {
        port: {
          metrics: async () => [{ ...REQUESTED, labels: { ...REQUESTED.labels, removed_release: '1.34' } }],
        },
      }),
    ],
    ['nobody knows', passOf('1.32.1', { port: { metrics: denied } })],
    ['the API is away', passOf('1.32.1', { port: { ready: async () => false } })],
  ])('lets it go on when %s', async (_, pass) => expect(await removedApisInUse(pass)).toBeUndefined());

  it('does not hold old objects against a change: the API server converts them', async () => {
    const list = async () => [
      {
        apiVersion: 'admissionregistration.k8s.io/v1beta1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: {
          name: 'old',
          managedFields: [{ manager: 'helm', apiVersion: 'admissionregistration.k8s.io/v1beta1' }],
        },
      },
    ];
    const port = { serverVersion: async () => 'v1.33.0', metrics: async () => [], list };
    expect(await removedApisInUse(passOf('1.34.0', { port }))).toBeUndefined();
  });
});
