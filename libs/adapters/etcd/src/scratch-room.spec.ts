import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRestoreDrill } from './restore-drill.adapter.js';
import { runToEnd, ScratchProcess } from './scratch-process.js';
import { inScratchRoom } from './scratch-room.js';

describe('the room of a restore drill', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'fairway-room-'));
    return () => rmSync(parent, { recursive: true });
  });

  it('is private, gone afterwards, and takes what the dead left with it; the living keep theirs', async () => {
    const { pid: dead } = spawnSync('true');
    const left = (name: string): string => {
      mkdirSync(join(parent, name));
      writeFileSync(join(parent, name, 'snapshot.db'), 'everything');
      return name;
    };
    left(`fairway-drill-${dead}-abc`);
    left(`fairway-drill-${process.pid}-of-a-former-life`);
    const kept = [left(`fairway-drill-${process.ppid}-living`), left('somebody-elses')].sort();
    await inScratchRoom(parent, async (own) => {
      await inScratchRoom(parent, async () => undefined);
      expect(existsSync(own), 'a drill at the same time').toBe(true);
    });
    expect(readdirSync(parent).sort()).toEqual(kept);
  });

  it('that is not to be had is no verdict on the snapshot', async () => {
    writeFileSync(join(parent, 'etcd'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(parent, 'etcdutl'), '#!/bin/sh\n', { mode: 0o755 });
    const drill = createRestoreDrill({ path: parent, directory: join(parent, 'missing') });
    await expect(drill.restore((async function* () {})())).rejects.toMatchObject({
      failure: { class: 'transient', code: 'drill-failed' },
    });
  });

  it.each([
    ['echo "Error: expected sha256 [1], got [2]" >&2; exit 1', 'snapshot-damaged', 'expected sha256'],
    ['echo "panic: no space left on device"; echo "goroutine 1"; exit 2', 'drill-failed', 'no space left'],
    ['kill -9 $$', 'drill-failed', 'SIGKILL'],
  ])('tells the machine and the snapshot apart: %s', async (script, code, words) => {
    writeFileSync(join(parent, 'etcd'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(parent, 'etcdutl'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const drill = createRestoreDrill({ path: parent, directory: parent });
    const restored = drill.restore((async function* () {})());
    await expect(restored).rejects.toMatchObject({
      failure: { code, message: expect.stringContaining(words) },
    });
    expect(readdirSync(parent).sort()).toEqual(['etcd', 'etcdutl']);
  });
});

describe('a program that ends', () => {
  it('well, by its own fault, or by the machine’s', async () => {
    expect(await runToEnd('/bin/sh', ['-c', 'exit 0'])).toMatchObject({ well: true });
    expect(await runToEnd('/bin/sh', ['-c', 'exit 3'])).toMatchObject({ well: false, byMachine: false });
    expect(await runToEnd('/nonexistent', [])).toMatchObject({ well: false, byMachine: true });
    const killed = new ScratchProcess('/bin/sh', ['-c', 'kill -9 $$']);
    await expect.poll(() => killed.end).toMatchObject({ well: false, byMachine: true });
    await killed.stop();
  });
});
