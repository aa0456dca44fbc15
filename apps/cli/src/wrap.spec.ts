import { expect, it } from 'vitest';
import { wrap } from './wrap.js';

it('breaks between words, and hangs the lines under the first', () => {
  expect(wrap('one two three four', 'do: ', 12)).toBe('do: one two\n    three\n    four');
  expect(wrap('short', '  ')).toBe('  short');
});

it('leaves a word alone that is longer than a line', () => {
  expect(wrap('a aws:111111111111:eu-central-1:kube-1 b', '', 10)).toBe(
    'a\naws:111111111111:eu-central-1:kube-1\nb',
  );
});
