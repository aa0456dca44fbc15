import { describe, expect, it } from 'vitest';
import { machineOfMember, machinesOf, seedEndpoints } from './etcd-machines.js';
import { etcdSettings, type EtcdSettings } from './etcd-settings.js';

const settingsOf = (items: Record<string, string>): EtcdSettings => {
  const settings = etcdSettings(items);
  if (!settings.ok || !settings.value) throw new Error('no settings');
  return settings.value;
};

const group = (name: string, tags: Record<string, string> = {}) => ({
  pool: '',
  groupName: name,
  minSize: 1,
  maxSize: 1,
  desiredCapacity: 1,
  zones: [],
  suspendedProcesses: [],
  launchTemplate: { name: 'etcd', version: '2' },
  instanceTypes: ['m5.large'],
  targetGroupArns: [],
  tags,
  recentFailures: [],
  instances: [
    {
      instanceId: `i-${name}`,
      zone: 'a',
      instanceType: 'm5.large',
      market: 'on-demand' as const,
      launchTemplate: { name: 'etcd', version: name === 'old' ? '1' : '2' },
      lifecycleState: name === 'going' ? 'Terminating:Wait' : 'InService',
      healthStatus: 'Healthy' as const,
      protectedFromScaleIn: false,
      privateIp: `10.0.0.${name.length}`,
      privateDnsName: `ip-10-0-0-${name.length}.internal`,
      targetHealth: {},
    },
  ],
});

describe('etcdSettings', () => {
  it('has nothing to say without endpoints', () => {
    expect(etcdSettings({})).toEqual({ ok: true, value: undefined });
    expect(etcdSettings({ etcd_endpoints: ' ' })).toEqual({ ok: true, value: undefined });
  });

  it('reads items, with defaults', () => {
    expect(settingsOf({ etcd_endpoints: 'https://a:2379, https://b:2379' })).toEqual({
      endpoints: ['https://a:2379', 'https://b:2379'],
      peerUrl: 'https://{ip}:2380',
      policy: { way: 'static', maxLag: 1_000, settle: 10_000, unhealthyAfter: 300_000, patience: 900_000 },
      replace: [],
    });
    const off = settingsOf({ etcd_endpoints: 'http://a', etcd_replacement: 'off', etcd_replace: 'i-1,i-2' });
    expect(off.policy).toBeUndefined();
    expect(off.replace).toEqual(['i-1', 'i-2']);
  });

  it.each([
    ['etcd_replacement', 'surge'],
    ['etcd_max_lag', 'few'],
    ['etcd_settle', 'soon'],
    ['etcd_unhealthy_after', '5'],
    ['etcd_patience', ''],
  ])('refuses %s: %j by name', (field, value) => {
    const settings = etcdSettings({ etcd_endpoints: 'http://a', [field]: value });
    expect(settings).toMatchObject({ ok: false, error: { code: 'etcd-config', place: { field } } });
  });
});

describe('machines and members', () => {
  const settings = settingsOf({ etcd_endpoints: 'http://{ip}:2379', etcd_replace: 'i-wished' });
  const groups = [
    group('old'),
    group('current'),
    group('going'),
    group('wished'),
    group('slot', { 'fairway.dev/etcd-member': 'm1' }),
  ];
  const machines = machinesOf(groups, settings);
  const member = (name: string, url: string) => ({
    id: '1',
    name,
    peerUrls: [url],
    clientUrls: [],
    learner: false,
  });

  it('knows what is outdated, asked for, or on its way out', () => {
    expect(machines.map(({ outdated, leaving }) => [outdated, leaving])).toEqual([
      [true, false],
      [false, false],
      [false, true],
      [true, false],
      [false, false],
    ]);
    expect(seedEndpoints(settings, machines)).not.toContain('http://10.0.0.5:2379');
    expect(machines[0]?.peerUrl).toBe('http://10.0.0.3:2380');
  });

  it.each([
    ['by name', member('i-current', 'http://etcd-1:2380'), 'i-current'],
    ['by address', member('x', 'http://10.0.0.3:2380'), 'i-old'],
    ['by DNS name', member('x', 'http://ip-10-0-0-7.internal:2380'), 'i-current'],
    ['by the tag of its group', member('m1', 'http://eni:2380'), 'i-slot'],
    ['or not at all', member('x', 'http://elsewhere:2380'), undefined],
  ])('finds the machine of a member %s', (_, one, instanceId) => {
    expect(machineOfMember(one, machines)?.instanceId).toBe(instanceId);
  });
});
