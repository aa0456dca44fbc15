import { fail } from '#kernel';
import type { Revision } from '#fleet';
import type { ChannelStorePort } from '#ports';

const KEPT = 200;

/** Revisions by id. They never change, so each is read once; the oldest go when there are too many. */
export class RevisionReader {
  private readonly known = new Map<string, Revision>();

  constructor(private readonly channels: Pick<ChannelStorePort, 'getRevision'>) {}

  async get(id: string): Promise<Revision> {
    const known = this.known.get(id);
    if (known) return known;
    const revision = await this.channels.getRevision(id);
    if (!revision) {
      return fail({
        class: 'bug',
        code: 'revision-lost',
        message: `revision "${id}" is worked towards and not stored`,
      });
    }
    const [oldest] = this.known.keys();
    if (this.known.size >= KEPT && oldest !== undefined) this.known.delete(oldest);
    this.known.set(id, revision);
    return revision;
  }
}
