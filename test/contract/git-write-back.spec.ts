import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GitPort } from '#ports';
import { createGit, type ClosableGit } from '#adapters/git';
import { writeBack } from '../../libs/engine/src/config/write-back.js';
import { PassMemory } from '../../libs/engine/src/pass/pass-memory.js';
import { cluster } from '../../libs/config/src/testing/fixture-repo.js';

const NOBODY = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
const FILE = 'clusters/sandbox-1.yaml';

/** The record of a cluster goes to a real repository, in which a person works at the same time. */
describe('write-back while somebody edits the same branch', () => {
  let root: string;
  let git: ClosableGit;
  const person = (...args: string[]): string =>
    execFileSync(
      'git',
      ['-C', join(root, 'person'), '-c', 'user.name=P', '-c', 'user.email=p@x.org', ...args],
      {
        env: { ...process.env, ...NOBODY },
        encoding: 'utf8',
      },
    ).trim();
  const onBranch = (): string => {
    person('fetch', '--quiet', 'origin');
    return person('show', `origin/dev:${FILE}`);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fairway-write-back-'));
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=dev', join(root, 'remote')]);
    execFileSync('git', ['init', '--quiet', '--initial-branch=dev', join(root, 'person')]);
    person('remote', 'add', 'origin', join(root, 'remote'));
    edit('cluster/a.yaml', 'a: 1\n');
    git = createGit({ mirrorsDir: join(root, 'mirrors'), allowFileUrls: true });
  });
  afterEach(async () => {
    await git.close();
    rmSync(root, { recursive: true });
  });

  function edit(path: string, text: string): void {
    const file = join(root, 'person', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    person('add', '--all');
    person('commit', '--quiet', '--message', `edit ${path}`);
    person('push', '--quiet', 'origin', 'HEAD:dev');
  }

  /** Each time before Fairway pushes, `meanwhile` happens. */
  async function written(meanwhile: (time: number) => void) {
    let times = 0;
    const port: GitPort = Object.assign(Object.create(git) as GitPort, {
      writeFile: (...args: Parameters<GitPort['writeFile']>) => {
        meanwhile((times += 1));
        return git.writeFile(...args);
      },
    });
    const report = { events: [] as { type: string }[], problems: [] as object[] };
    const frame = {
      parts: { ports: portsWith(port) },
      lease: { current: async () => undefined },
      cluster: cluster({ configItems: { write_back: 'true', replicas: '2' } }),
      memory: new PassMemory({}),
      report,
    };
    const rendered = { explain: async () => [{ key: 'write_back', value: 'true', sensitive: false }] };
    await writeBack(...([frame, rendered] as unknown as Parameters<typeof writeBack>));
    return { times, ...report };
  }

  function portsWith(port: GitPort) {
    const repository = `file://${join(root, 'remote')}`;
    return {
      git: port,
      channels: { listChannels: async () => [{ name: 'dev', repository, branch: 'dev', position: 0 }] },
      configs: { lastRecordActor: async () => 'ada' },
      clock: { now: () => 1_700_000_000_000 },
      doorbell: { ring: async () => undefined },
    };
  }

  it('takes up what a person put into the same file, and keeps both', async () => {
    const mine = 'config_items:\n  by_hand: "1" # mine\n  replicas: "9"\n';
    const { times, events, problems } = await written((time) => {
      if (time === 1) edit(FILE, mine);
    });
    expect({ times, events: events.map(({ type }) => type), problems }).toEqual({
      times: 2,
      events: ['cluster.written-back'],
      problems: [],
    });
    expect(onBranch()).toContain('by_hand: "1" # mine');
    // The registry is above the file: a file that said otherwise would only mislead.
    expect(onBranch()).toContain('replicas: "2"');
    expect(person('log', '--format=%an', 'origin/dev', '-2').split('\n')).toEqual(['ada', 'P']);
    expect(person('show', 'origin/dev:cluster/a.yaml')).toBe('a: 1');
  });

  it('leaves a file alone that a person broke in between, and says what to do', async () => {
    const { events, problems } = await written((time) => {
      if (time === 1) edit(FILE, 'config_items: [\n');
    });
    expect(events).toEqual([]);
    expect(JSON.stringify(problems)).toMatch(
      /sandbox-1\.yaml is no file of config_items.*Mend the file, or delete it/,
    );
    expect(onBranch()).toBe('config_items: [');
  });

  it('gives up for now where the branch never rests', async () => {
    const { times, events, problems } = await written((time) => edit('cluster/a.yaml', `a: ${time + 1}\n`));
    expect(times).toBe(5);
    expect(events).toEqual([]);
    expect(JSON.stringify(problems)).toMatch(/moved 5 times meanwhile.*tried again by itself/);
    expect(person('show', 'origin/dev:cluster/a.yaml')).toBe('a: 6');
  });
});
