import { FailureError } from '#kernel';

export const snapshotBroken = (why: string): FailureError =>
  new FailureError({
    class: 'transient',
    code: 'etcd-snapshot-broken',
    message: `the snapshot is no backup: ${why}`,
    hint: 'Nothing of it was kept. It is taken again.',
  });
