import { createHash, randomBytes } from 'node:crypto';
import type { Role, TokenStorePort } from '#ports';
import type { Clock, Duration, Ids } from '#kernel';

const PREFIX = 'fwy_';

/** 256 random bits. Shown once, stored as a hash only. */
export const newToken = (): string => PREFIX + randomBytes(32).toString('base64url');

/** A token carries 256 bits of chance, so a plain hash is as good as a slow one. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

export const looksLikeToken = (text: string): boolean => /^fwy_[A-Za-z0-9_-]{16,128}$/.test(text);

interface TokenMaker {
  readonly tokens: TokenStorePort;
  readonly clock: Clock;
  readonly ids: Ids;
}

export async function issueToken(
  { tokens, clock, ids }: TokenMaker,
  wish: { readonly name: string; readonly role: Role; readonly lifetime?: Duration; readonly token?: string },
): Promise<{ readonly id: string; readonly token: string }> {
  const token = wish.token ?? newToken();
  const id = ids.next();
  const createdAt = clock.now();
  await tokens.create({
    id,
    name: wish.name,
    role: wish.role,
    hash: hashToken(token),
    createdAt,
    ...(wish.lifetime !== undefined && { expiresAt: createdAt + wish.lifetime }),
  });
  return { id, token };
}

/** Makes the configured bootstrap token an admin's, once; restarting changes nothing. */
export async function ensureBootstrapToken(maker: TokenMaker, token: string | undefined): Promise<void> {
  if (token === undefined) return;
  if (!looksLikeToken(token))
    throw new Error('FAIRWAY_BOOTSTRAP_TOKEN must begin with fwy_ and have at least 16 more characters');
  const known = await maker.tokens.findByHash(hashToken(token), maker.clock.now());
  if (!known) await issueToken(maker, { name: 'bootstrap', role: 'admin', token });
}
