import { describe, expect, it } from 'vitest';
import { minutes } from '#kernel';
import { etaText } from './output.js';

describe('the time left', () => {
  it('is told with what it counts on', () => {
    expect(etaText(minutes(7), undefined)).toBe('about 7m left');
    expect(etaText(7_000, 'PDB default/shop lets worker-1 go')).toBe(
      'about 7s left if PDB default/shop lets worker-1 go',
    );
  });
});
