import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLayers, cruiseFolders, listedModules } from './layers.mjs';

/** The guard is itself guarded: it must report a tree that breaks every rule, and see every module that Git lists. */
describe('the boundary guard', () => {
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-layers-'));
    await cp('test/fixtures/layers', dir, { recursive: true });
    await mkdir(join(dir, 'node_modules'), { recursive: true });
    await symlink(join(process.cwd(), 'node_modules/typeorm'), join(dir, 'node_modules/typeorm'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('reports every violation of the committed fixture', async () => {
    const { violations } = await cruiseFolders(['libs', 'apps'], dir);
    const rules = [...new Set(violations.map((violation) => violation.split(':')[0]))].sort();
    expect(rules).toEqual([
      'adapters/aws-imports-only',
      'apps-do-not-import-one-another',
      'brains-do-no-io',
      'config-imports-only',
      'kernel-imports-only',
      'no-cycles',
      'no-unresolvable',
      'rooms-are-entered-by-their-index',
      'shipped-code-never-imports-simulation-or-testing',
      'typeorm-has-one-home',
    ]);
  });

  it('fails when it sees fewer modules than Git lists', async () => {
    const result = await checkLayers({
      listed: [...listedModules(['libs', 'apps']), 'libs/kernel/src/unseen.ts'],
    });
    expect(result.ok).toBe(false);
    expect(result.output).toContain('not seen by the guard: libs/kernel/src/unseen.ts');
  });
});
