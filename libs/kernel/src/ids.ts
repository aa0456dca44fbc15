import { randomUUID } from 'node:crypto';

/** The only source of new identities, so that stories replay under a seed. */
export interface Ids {
  next(): string;
}

export const randomIds: Ids = { next: () => randomUUID() };
