import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentParts } from './recent-parts.js';

describe('recent parts', () => {
  it('drop what was not used for longest, by bytes', () => {
    const parts = new RecentParts<string>(30);
    for (const id of ['a', 'b', 'c']) parts.add(id, id, 10);
    expect(parts.get('a')).toBe('a');
    parts.add('d', 'd', 10);
    expect(['a', 'b', 'c', 'd'].map((id) => parts.get(id))).toEqual(['a', undefined, 'c', 'd']);
  });

  it('count a part once, however often it is added, and keep none that is too large', () => {
    const parts = new RecentParts<string>(30);
    parts.add('a', 'a', 10);
    for (let again = 0; again < 10; again += 1) parts.add('b', 'b', 10);
    expect(parts.get('a')).toBe('a');
    parts.add('huge', 'x', 31);
    expect(parts.get('huge')).toBeUndefined();
    parts.add('c', 'c', 30);
    expect(parts.get('c')).toBe('c');
  });

  it('are the same at both ends that do the same', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      bytes: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const [thread, process] = [new RecentParts<true>(20), new RecentParts<string>(20)];
        for (const { id, bytes } of steps) {
          // As the thread does: a name alone for what the other end has.
          const known = thread.get(id) === true;
          if (!known) thread.add(id, true, bytes);
          if (known) expect(process.get(id)).toBe(id);
          else process.add(id, id, bytes);
        }
      }),
    );
  });
});
