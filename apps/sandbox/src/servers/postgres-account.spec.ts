import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canReach, parsePasswd } from './postgres-account.js';

describe('parsePasswd', () => {
  it('reads names and numbers, and leaves out what is none', () => {
    const text = 'root:x:0:0:root:/root:/bin/sh\n\nnobody:x:65534:65534::/:/x\nbroken\n+nis::::::\n';
    expect([...parsePasswd(text)]).toEqual([
      ['root', { uid: 0, gid: 0 }],
      ['nobody', { uid: 65534, gid: 65534 }],
    ]);
  });
});

describe('canReach', () => {
  let base: string;
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'fairway-reach-'));
    await mkdir(join(base, 'inner'));
    await chmod(join(base, 'inner'), 0o755);
  });
  afterAll(() => rm(base, { recursive: true }));

  const stranger = { name: 'stranger', ids: { uid: 54321, gid: 54321 } };

  it.each([
    [0o700, false],
    [0o755, true],
    [0o711, true],
    [0o744, false],
  ])('a directory below one of mode %o: %s', async (mode, expected) => {
    await chmod(base, mode);
    expect(await canReach(join(base, 'inner', 'not-yet-made'), stranger)).toBe(expected);
    expect(await canReach(join(base, 'inner'), { name: 'us' })).toBe(true);
  });
});
