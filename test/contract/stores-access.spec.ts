import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { freshStores } from '../support/database.js';

describe('tokens and audit on Postgres', () => {
  let stores: Awaited<ReturnType<typeof freshStores>>;
  beforeAll(async () => {
    stores = await freshStores();
  });
  afterAll(() => stores.drop());

  it('finds a token by its hash until it expires or is revoked', async () => {
    const now = 10_000_000;
    const token = {
      id: 't1',
      name: 'ci',
      role: 'operator',
      hash: 'h1',
      createdAt: now,
      expiresAt: now + 10,
    } as const;
    await stores.tokens.create(token);
    await stores.tokens.create({ id: 't2', name: 'ops', role: 'admin', hash: 'h2', createdAt: now + 1 });
    expect(await stores.tokens.findByHash('h1', now)).toEqual({
      tokenId: 't1',
      name: 'ci',
      role: 'operator',
    });
    expect(await stores.tokens.findByHash('h1', now + 10)).toBeUndefined();
    expect(await stores.tokens.findByHash('none', now)).toBeUndefined();
    expect((await stores.tokens.findByHash('h2', now + 5))?.role).toBe('admin');
    expect(await stores.tokens.revoke('t2', now + 7)).toBe(true);
    expect(await stores.tokens.revoke('t2', now + 8)).toBe(false);
    expect(await stores.tokens.revoke('t9', now)).toBe(false);
    expect(await stores.tokens.findByHash('h2', now + 9)).toBeUndefined();
    const { hash, ...shown } = token;
    expect(await stores.tokens.list()).toEqual([
      { ...shown, lastUsedAt: now },
      { id: 't2', name: 'ops', role: 'admin', createdAt: now + 1, lastUsedAt: now + 5, revokedAt: now + 7 },
    ]);
    await expect(stores.tokens.create({ ...token, id: 't3' })).rejects.toMatchObject({
      failure: { code: 'already-exists' },
    });
    expect(hash).toBe('h1');
  });

  it('does not write with every use', async () => {
    const now = 20_000_000;
    await stores.tokens.create({ id: 't4', name: 'busy', role: 'viewer', hash: 'h4', createdAt: now });
    for (const later of [0, 1, minutes(1) - 1]) await stores.tokens.findByHash('h4', now + later);
    const used = async () => (await stores.tokens.list()).find(({ id }) => id === 't4')?.lastUsedAt;
    expect(await used()).toBe(now);
    await stores.tokens.findByHash('h4', now + minutes(1));
    expect(await used()).toBe(now + minutes(1));
  });

  it('lists the audit log newest first, page by page', async () => {
    for (const n of [1, 2, 3]) {
      await stores.audit.append({ at: n, actor: 'a', action: `x.${n}`, subject: 's', data: { n } });
    }
    const [third, second] = await stores.audit.list(2);
    expect([third?.action, second?.action]).toEqual(['x.3', 'x.2']);
    const rest = await stores.audit.list(10, second?.id);
    expect(rest).toEqual([
      { id: (second?.id ?? 0) - 1, at: 1, actor: 'a', action: 'x.1', subject: 's', data: { n: 1 } },
    ]);
  });
});
