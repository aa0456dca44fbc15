import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '#fleet';
import { routeMatches } from './event-writer.js';

const event = (over: Partial<FleetEvent> = {}): FleetEvent => ({
  type: 'promotion.done',
  at: 0,
  severity: 'warning',
  subject: 'channel/alpha',
  channel: 'alpha',
  message: '',
  data: {},
  ...over,
});

describe('routeMatches', () => {
  it.each([
    [{}, true],
    [{ minSeverity: 'info' }, true],
    [{ minSeverity: 'warning' }, true],
    [{ minSeverity: 'error' }, false],
    [{ types: ['promotion.*'] }, true],
    [{ types: ['promotion.don'] }, false],
    [{ types: ['roll.*', 'promotion.done'] }, true],
    [{ types: [] }, false],
    [{ channels: ['alpha', 'beta'] }, true],
    [{ channels: ['beta'] }, false],
    [{ channels: ['alpha'], types: ['roll.*'] }, false],
  ] as const)('%o: %s', (filter, expected) => {
    expect(routeMatches({ route: 'r', ...filter }, event())).toBe(expected);
  });

  it('keeps events of no channel away from routes of certain channels', () => {
    const { channel, ...everywhere } = event();
    expect(channel).toBe('alpha');
    expect(routeMatches({ route: 'r', channels: ['alpha'] }, everywhere)).toBe(false);
    expect(routeMatches({ route: 'r' }, everywhere)).toBe(true);
  });
});
