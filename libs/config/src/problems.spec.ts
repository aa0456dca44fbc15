import { describe, expect, it } from 'vitest';
import { problem } from './problems.js';
import { REMEDIES } from './remedies.js';

const PLACE = { file: 'cluster/x.yaml', line: 3 };

describe('a problem', () => {
  it.each(Object.keys(REMEDIES) as (keyof typeof REMEDIES)[])('%s says what helps', (code) => {
    expect(problem(code, 'm', PLACE).hint).toMatch(/^[A-Z`].*[.)]$/);
  });

  it('says it in its own words where it has some', () => {
    expect(problem('template-error', 'm', PLACE, 'Add the key.').hint).toBe('Add the key.');
    // @ts-expect-error what has no words for all of its kind needs its own
    expect(problem('something-else', 'm', PLACE).hint).toBeUndefined();
  });
});
