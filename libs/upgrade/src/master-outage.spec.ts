import { minutes } from '#kernel';
import { expect, it } from 'vitest';
import { masterOutage, OUTAGE_GRANT_ITEM, type MasterOutageQuestion } from './master-outage.js';

const one: MasterOutageQuestion = {
  masters: 1,
  strategy: 'one-at-a-time',
  maxSurge: 1,
  granted: false,
  expectedBoot: minutes(4),
  expectedDrain: minutes(5),
};

it.each<[string, Partial<MasterOutageQuestion>, string]>([
  ['one, terminated first', {}, 'refused'],
  ['one without room for another', { strategy: 'surge', maxSurge: 0 }, 'refused'],
  ['one, all at once', { strategy: 'all-at-once' }, 'refused'],
  ['three, all at once', { masters: 3, strategy: 'all-at-once' }, 'refused'],
  ['one with permission', { granted: true }, 'granted'],
  ['one, and the new one comes first', { strategy: 'surge' }, 'none'],
  ['one, and as many new ones as are useful', { strategy: 'surge', maxSurge: 'auto' }, 'none'],
  ['two, one at a time', { masters: 2 }, 'none'],
  ['three, one at a time', { masters: 3 }, 'none'],
  ['none yet', { masters: 0 }, 'none'],
])('%s: %o', (_, change, kind) => expect(masterOutage({ ...one, ...change }).kind).toBe(kind));

it('says what it would cost and how to allow it', () => {
  const refused = masterOutage(one);
  expect(refused).toMatchObject({ reason: 'replacing the only master takes the API away for about 9m' });
  expect(refused.kind === 'refused' && refused.remedy).toContain(`${OUTAGE_GRANT_ITEM}: "true"`);
});

it('bounds what it allows', () => {
  expect(masterOutage({ ...one, granted: true })).toMatchObject({ expected: minutes(9), limit: minutes(27) });
  const quick = masterOutage({ ...one, granted: true, expectedBoot: minutes(1), expectedDrain: minutes(1) });
  expect(quick).toMatchObject({ limit: minutes(15) });
});
