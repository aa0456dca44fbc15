import type { Channel, ChannelRevision, RepositoryRecord, Revision } from '#fleet';
import { count, flag, instant, json, key, named, optional, ordinal, prose, table, word } from './columns.js';

export const RepositoryEntity = table<RepositoryRecord>('repositories', {
  url: key(),
  lastFetchAt: optional(instant()),
  lastSuccessAt: optional(instant()),
  problem: optional(json()),
});

export const ChannelEntity = table<Channel>('channels', {
  name: key(),
  repository: word(),
  branch: word(),
  from: named(optional(word()), 'from_channel'),
  position: count(),
  headCommit: optional(word()),
  headRevisionId: optional(word()),
  pausedReason: optional(prose()),
});

export const RevisionEntity = table<Revision>('revisions', {
  id: key(),
  repository: word(),
  commit: word(),
  treeDigest: word(),
  author: prose(),
  subject: prose(),
  committedAt: word(),
});

export interface ChannelRevisionRow extends ChannelRevision {
  readonly entry?: number;
}

export const ChannelRevisionEntity = table<ChannelRevisionRow>('channel_revisions', {
  channel: key(),
  revisionId: key(),
  phase: word(),
  wave: count(),
  waves: count(),
  enteredAt: instant(),
  convergedAt: optional(instant()),
  verifiedAt: optional(instant()),
  soakingSince: optional(instant()),
  promotedAt: optional(instant()),
  admitted: flag(),
  reasons: json(),
  soak: optional(json()),
  expedited: optional(flag()),
  entry: ordinal(),
});
