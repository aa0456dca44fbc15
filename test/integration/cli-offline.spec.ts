import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { wireAccount, wireCluster, wirePool } from '../support/wire-records.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/config-repo', import.meta.url));
const MANIFEST = 'cluster/manifests/coredns/configmap.yaml';
let room: string;
let repo: string;

const record = (localId: string, over: Record<string, unknown> = {}) =>
  wireCluster(localId, {
    config_items: {},
    node_pools: [wirePool('masters', { profile: 'master-default' }), wirePool('workers')],
    ...over,
  });
const write = (path: string, content: string, base = repo): string => {
  const file = join(base, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};
const json = (name: string, value: unknown): string => write(name, JSON.stringify(value), room);
const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(join(repo, path), change(readFileSync(join(repo, path), 'utf8')));
const git = (...args: string[]): string =>
  execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
    { cwd: repo, encoding: 'utf8' },
  ).trim();
const commit = (subject: string): string => {
  git('add', '-A');
  git('commit', '-qm', subject);
  return git('rev-parse', 'HEAD');
};
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();

const LOCK = {
  vpc_id: 'vpc-1',
  vpc_ipv4_cidr: '172.31.0.0/16',
  availability_zones: ['eu-central-1a', 'eu-central-1b'],
  subnets: { 'eu-central-1a': 'subnet-a', 'eu-central-1b': 'subnet-b' },
  load_balancer_subnets: { 'eu-central-1a': 'subnet-la' },
  images: { 'fairway-node-1.31.4-20251103|861068367966': 'ami-0123456789abcdef0' },
  instance_types: {
    'm5.large': { vcpus: 2, memory_bytes: 8589934592 },
    'm5.xlarge': { vcpus: 4, memory_bytes: 17179869184 },
  },
};

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'fairway-cli-'));
  repo = join(room, 'repo');
  cpSync(FIXTURE, repo, { recursive: true });
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

it('says its version', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('render', () => {
  it('writes every file with its path, pools under their names', async () => {
    const out = join(room, 'out');
    const run = await runCli([
      'render',
      '--offline',
      '--repo',
      repo,
      '--cluster',
      json('kube-1.json', record('kube-1')),
      '--inputs',
      json('lock.json', LOCK),
      '--out',
      out,
    ]);
    expect([run.code, run.stderr]).toEqual([0, '']);
    const files = filesIn(out);
    expect(files).toEqual(
      expect.arrayContaining([
        'cluster/cluster.yaml',
        'cluster/etcd-cluster.yaml',
        'cluster/manifests/coredns/deployment.yaml',
        'cluster/node-pools/masters/stack.yaml',
        'cluster/node-pools/masters/userdata.yaml',
        'cluster/node-pools/workers/stack.yaml',
      ]),
    );
    expect(files.some((file) => file.includes('worker-default'))).toBe(false);
    for (const file of files) expect(readFileSync(join(out, file), 'utf8')).not.toContain('{{');
    expect(readFileSync(join(out, 'cluster/node-pools/workers/stack.yaml'), 'utf8')).toContain(
      'ami-0123456789abcdef0',
    );
  });

  it('takes YAML records and lists of them, one directory each', async () => {
    const yaml = `items:\n  - ${JSON.stringify(record('kube-1'))}\n  - ${JSON.stringify(record('kube-2', { channel: 'beta' }))}\n`;
    const list = write('fleet.yaml', yaml, room);
    const out = join(room, 'out');
    expect((await runCli(['render', '--repo', repo, '--cluster', list, '--out', out])).code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['kube-1', 'kube-2']);
    const beta = await runCli([
      'render',
      '--repo',
      repo,
      '--cluster',
      list,
      '--channel',
      'beta',
      '-o',
      'json',
    ]);
    const answer = JSON.parse(beta.stdout) as {
      cluster: string;
      files: Record<string, string>;
      problems: unknown[];
    };
    expect([answer.cluster, answer.problems]).toEqual(['kube-2', []]);
    expect(answer.files['cluster/manifests/coredns/configmap.yaml']).toContain('kind: ConfigMap');
  });

  it('is the same every time, and follows links inside cluster/', async () => {
    symlinkSync('../coredns/configmap.yaml', join(repo, 'cluster/manifests/ingress/linked.yaml'));
    const args = ['render', '--repo', repo, '--cluster', json('c.json', record('kube-1'))];
    const [one, two] = [await runCli(args), await runCli(args)];
    expect(one.stdout).toBe(two.stdout);
    expect(one.stdout).toContain('# file: cluster/manifests/ingress/linked.yaml');
  });

  it('names account and owner where they are given', async () => {
    write(
      'cluster/manifests/rbac/owner.yaml',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: o, namespace: kube-system}\ndata: {owner: "{{ .Cluster.Owner }}", account: "{{ .Cluster.AccountName }}"}\n',
    );
    const run = await runCli([
      'render',
      '--repo',
      repo,
      '--cluster',
      json('c.json', record('kube-1')),
      '--account',
      json('a.json', wireAccount()),
    ]);
    expect(run.stdout).toContain('{owner: "team/bar", account: "foo"}');
  });

  it('never writes outside of the directory', async () => {
    write(
      'clusters/kube-1.yaml',
      'node_pools: [{name: ../../../evil, profile: worker-default, instance_types: [m5.large], min_size: 1, max_size: 1}]\n',
    );
    const run = await runCli([
      'render',
      '--repo',
      repo,
      '--cluster',
      json('c.json', record('kube-1')),
      '--out',
      join(room, 'a/b'),
    ]);
    expect(run.code).toBe(1);
    expect(filesIn(room).filter((file) => file.includes('evil'))).toEqual([]);
  });
});

describe('validate', () => {
  const cluster = () => json('c.json', record('kube-1'));

  it('finds nothing in a good repository', async () => {
    const run = await runCli(['validate', '--offline', '--repo', repo, '--cluster', cluster(), '-o', 'json']);
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      0,
      { valid: true, clusters: ['kube-1'], problems: [] },
    ]);
  });

  it('reports five mistakes in five files at once, each with its place', async () => {
    edit(MANIFEST, (text) => `${text}\nmore: {{ .Cluster.ConfigItems.coredns_replica }}\n`);
    write('cluster/manifests/egress/broken.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n');
    write(
      'cluster/manifests/rbac/double.yaml',
      readFileSync(join(repo, 'cluster/manifests/rbac/roles.yaml'), 'utf8'),
    );
    write('cluster/manifests/shop/open.yaml', 'a: 1\n{{ if true }}\n');
    edit('cluster/etcd-cluster.yaml', () => 'nothing: here\n');
    const run = await runCli(['validate', '--repo', repo, '--cluster', cluster()]);
    expect(run.code).toBe(1);
    for (const file of [
      MANIFEST,
      'cluster/manifests/egress/broken.yaml',
      'cluster/manifests/rbac/',
      'cluster/manifests/shop/open.yaml',
      'cluster/etcd-cluster.yaml',
    ])
      expect(run.stdout).toMatch(new RegExp(`^${file}.*:\\d+(:\\d+)?: error [a-z-]+: `, 'm'));
    expect(run.stdout).toContain('→ ');
    expect(run.stdout).toMatch(/kube-1: [5-9] errors/);
  });

  it('reads the policy too: a fault there would stop a channel, and so would a channel that it leaves out', async () => {
    edit('fairway.yaml', (text) => text.replace('waves:', 'wavs:').replace('soak:', 'soka:'));
    const faulty = await runCli(['validate', '--offline', '--repo', repo, '--cluster', cluster()]);
    expect(faulty.code).toBe(1);
    expect(faulty.stdout).toMatch(/^fairway\.yaml:\d+:\d+: error \S+: .*wavs/m);
    expect(faulty.stdout).toMatch(/^fairway\.yaml:\d+:\d+: error \S+: .*soka/m);
    cpSync(join(FIXTURE, 'fairway.yaml'), join(repo, 'fairway.yaml'));
    const lost = json('lost.json', record('kube-1', { channel: 'gamma' }));
    const unsaid = await runCli(['validate', '--offline', '--repo', repo, '--cluster', lost]);
    expect(unsaid.code).toBe(1);
    expect(unsaid.stdout).toContain('error channel-without-policy: nothing is said about channel gamma');
  });

  it('takes no longer than it may, and says so', async () => {
    const cluster = json('r.json', record('one'));
    const args = ['--repo', repo, '--cluster', cluster, '--time-limit', '0.000001'];
    for (const command of [['validate'], ['render'], ['plan', '--offline']]) {
      const { code, stdout, stderr } = await runCli([...command, ...args]);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('rendering takes longer than 0.000001 s (--time-limit)');
    }
    const wrong = await runCli(['validate', '--repo', repo, '--time-limit', 'soon']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('number of seconds') as string });
  });

  it('says once what many clusters have, and whose it is otherwise', async () => {
    edit(
      MANIFEST,
      (text) => `${text}{{ if eq .Cluster.LocalID "kube-2" }}\nbad: {{ .Cluster.Nonsense }}{{ end }}\n`,
    );
    const fleet = json(
      'fleet.json',
      ['kube-1', 'kube-2', 'kube-3'].map((name) => record(name)),
    );
    const run = await runCli(['validate', '--repo', repo, '--cluster', fleet]);
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('in 1 cluster: kube-2');
    expect(run.stdout).toContain('3 clusters: 1 error');
  });

  it.each([
    [
      'a link out of the tree',
      () => symlinkSync('../../../../etc/passwd', join(repo, 'cluster/manifests/rbac/link.yaml')),
      'link.yaml: the link leads out of cluster/',
    ],
    [
      'a link in a circle',
      () => symlinkSync('link.yaml', join(repo, 'cluster/manifests/rbac/link.yaml')),
      'goes in circles',
    ],
    [
      'a file over 1 MiB',
      () => write('cluster/manifests/rbac/big.yaml', `# ${'x'.repeat(2 ** 20)}`),
      'big.yaml: 1048578 bytes are more than 1048576',
    ],
    [
      'text that is not UTF-8',
      () => writeFileSync(join(repo, MANIFEST), Buffer.from([0x61, 0xff])),
      'configmap.yaml: the file is not UTF-8',
    ],
    [
      'names that differ by case',
      () => write('cluster/manifests/coredns/ConfigMap.yaml', 'a: 1'),
      'only by case',
    ],
    [
      'no cluster/ at all',
      () => rmSync(join(repo, 'cluster'), { recursive: true }),
      'cluster/: the directory is not there or empty',
    ],
  ])('refuses %s', async (_, harm, message) => {
    harm();
    const run = await runCli(['validate', '--repo', repo, '--cluster', cluster()]);
    expect([run.code, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toContain(message);
  });

  it('names every wrong field of a record, and an unknown profile with the nearest one', async () => {
    const wrong = await runCli([
      'validate',
      '--repo',
      repo,
      '--cluster',
      json('w.json', { ...record('kube-1'), region: 5, alias: 'UPPER', node_pools: [{}] }),
    ]);
    expect(wrong.code).toBe(1);
    for (const field of ['region', 'alias', 'node_pools.0.name', 'node_pools.0.profile'])
      expect(wrong.stderr).toContain(`w.json: ${field}`);
    const near = record('kube-1', { node_pools: [wirePool('w1', { profile: 'worker-defualt' })] });
    const run = await runCli(['validate', '--repo', repo, '--cluster', json('n.json', near)]);
    expect(run.stdout).toMatch(/unknown-profile[\s\S]*Did you mean worker-default/);
  });

  it('reads a record from standard input, and survives cyclic YAML and reserved keys', async () => {
    const good = await runCli(['validate', '--repo', repo, '--cluster', '-'], {
      input: JSON.stringify(record('kube-1')),
    });
    expect(good.code).toBe(0);
    const cyclic = await runCli(['validate', '--repo', repo, '--cluster', '-'], {
      input: 'id: &a\n  b: *a\n',
    });
    expect([cyclic.code, cyclic.stderr]).toEqual([expect.any(Number), expect.stringContaining('id')]);
    expect(cyclic.code).not.toBe(0);
    const text = JSON.stringify(record('kube-1')).replace(
      '"config_items":{}',
      '"config_items":{"constructor":"x"}',
    );
    expect((await runCli(['validate', '--repo', repo, '--cluster', '-'], { input: text })).code).toBe(1);
  });

  it.each([
    [['validate'], 'no cluster is given'],
    [['validate', '--cluster', '/nowhere.json'], 'cannot be read (ENOENT)'],
    [['validate', '--cluster', FIXTURE], 'cannot be read (EISDIR)'],
    [['validate', '--what'], 'unknown option'],
    [['render', '--duplicate-keys', 'maybe'], 'Allowed choices'],
    [['nonsense'], 'unknown command'],
    [['plan', '--offline', 'kube-1'], '--cluster kube-1'],
  ])('%j is used wrongly', async (args, message) => {
    const run = await runCli(args);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('config explain', () => {
  it('shows every layer, and which one counts', async () => {
    write('clusters/kube-1.yaml', 'config_items:\n  coredns_cpu: 200m\n');
    const file = json('c.json', record('kube-1', { config_items: { coredns_replicas: '5' } }));
    const args = ['config', 'explain', file, '--offline', '--repo', repo];
    const all = await runCli(args);
    expect(all.stdout).toMatch(/coredns_cpu\s+200m\s+cluster-file\s+clusters\/kube-1\.yaml:\d/);
    const one = JSON.parse(
      (await runCli([...args.slice(0, 3), 'coredns_replicas', ...args.slice(3), '-o', 'json'])).stdout,
    ) as { value: string; layers: { layer: string; line: number }[] }[];
    expect(one).toMatchObject([
      {
        value: '5',
        layers: [{ layer: 'config-defaults', file: 'cluster/config-defaults.yaml' }, { layer: 'registry' }],
      },
    ]);
    const none = await runCli([...args.slice(0, 3), 'nothing_such', ...args.slice(3)]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('nothing_such')]);
  });
});

describe('plan --offline', () => {
  const fleet = () =>
    json(
      'fleet.json',
      ['kube-1', 'kube-2', 'kube-3'].map((name) =>
        record(name, name === 'kube-3' ? { environment: 'test' } : {}),
      ),
    );
  const plan = (...args: string[]) =>
    runCli(['plan', '--offline', '--repo', repo, '--cluster', fleet(), ...args]);

  beforeEach(() => {
    git('init', '-q', '-b', 'dev');
    commit('first');
  });

  it('groups the clusters that change alike, between two revisions', async () => {
    edit(MANIFEST, (text) => text.replace('kind: ConfigMap', 'kind: ConfigMap # same'));
    edit('cluster/config-defaults.yaml', (text) =>
      text.replace('coredns_cpu: "100m"', 'coredns_cpu: "150m"'),
    );
    const second = commit('second');
    const run = await plan('--from', 'HEAD~1', '--to', second, '-o', 'json');
    expect(run.code).toBe(3);
    const answer = JSON.parse(run.stdout) as {
      from: { commit: string };
      to: { commit: string };
      groups: { clusters: string[]; changes: { subject: string; lines: string[] }[] }[];
    };
    expect(answer.to.commit).toBe(second);
    expect(answer.groups.map(({ clusters }) => clusters)).toEqual([['kube-1', 'kube-2', 'kube-3']]);
    expect(answer.groups[0]?.changes.map(({ subject }) => subject)).toEqual([
      'object apps/Deployment kube-system/coredns',
    ]);
    const text = await plan('--from', 'HEAD~1', '--to', 'HEAD');
    expect(text.stdout).toMatch(/all 3 clusters: the same \d+ lines in 1 place/);
    expect(text.stdout).toMatch(/\+ +cpu: 150m/);
  });

  it('tells apart those that differ', async () => {
    edit(MANIFEST, (text) =>
      text.replace(/^metadata:/m, 'metadata:\n  annotations: {env: "{{ .Cluster.Environment }}"}'),
    );
    const run = await plan();
    expect(run.code).toBe(3);
    expect(run.stdout).toContain('2 clusters: kube-1, kube-2: the same');
    expect(run.stdout).toContain('1 cluster: kube-3: ');
  });

  it('exits 0 without changes, 1 when the new side is not valid or a revision is not known', async () => {
    const none = await plan();
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('all 3 clusters: no changes')]);
    const unknown = await plan('--from', 'nothing-such');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('no revision nothing-such')]);
    const option = await plan('--from', '--upload-pack=touch /tmp/x');
    expect(option.code).toBe(1);
    edit(MANIFEST, (text) => `${text}{{ end }}`);
    const broken = await plan();
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringMatching(/configmap\.yaml:\d+: error template-syntax/),
    ]);
  });

  it('compares with another directory, writes one diff per cluster, and needs no repository', async () => {
    const other = join(room, 'other');
    cpSync(FIXTURE, other, { recursive: true });
    edit(MANIFEST, (text) => text.replace(/^metadata:/m, 'metadata:\n  annotations: {new: "yes"}'));
    rmSync(join(repo, '.git'), { recursive: true });
    const run = await plan('--against', other, '--out', join(room, 'diffs'));
    expect(run.code).toBe(3);
    expect(filesIn(join(room, 'diffs'))).toEqual(['kube-1.diff', 'kube-2.diff', 'kube-3.diff']);
    expect(readFileSync(join(room, 'diffs/kube-1.diff'), 'utf8')).toMatch(/\+ +new: "?yes/);
    const fromNothing = await plan();
    expect([fromNothing.code, fromNothing.stdout]).toEqual([3, expect.stringContaining('nothing → ')]);
    expect((await plan('--against', other, '--from', 'HEAD')).code).toBe(2);
  });

  it('runs no hook, filter or file system monitor of the repository', async () => {
    const trap = join(room, 'trapped');
    const script = write('trap.sh', `#!/bin/sh\ntouch ${trap}\ncat\n`, room);
    execFileSync('chmod', ['+x', script]);
    git('config', 'core.fsmonitor', script);
    git('config', 'filter.trap.smudge', script);
    write('.gitattributes', '* filter=trap\n');
    expect((await plan('--from', 'HEAD', '--to', 'HEAD')).code).toBe(0);
    expect(existsSync(trap)).toBe(false);
  });
});
