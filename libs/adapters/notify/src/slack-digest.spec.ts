import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '#fleet';
import { slackDigest } from './slack-digest.js';

const event = (id: number, more: Partial<StoredEvent> = {}): StoredEvent => ({
  id,
  at: Date.parse('2026-06-01T08:00:00Z') + id,
  type: 'problem.raised',
  severity: 'warning',
  subject: `cluster/${id}`,
  message: `trouble ${id}`,
  data: {},
  ...more,
});

describe('slackDigest', () => {
  it('counts by severity and tells the gravest first', () => {
    const events = [
      ...Array.from({ length: 30 }, (_, id) => event(id + 1)),
      event(31, { severity: 'critical' }),
    ];
    const text = JSON.stringify(slackDigest(events));
    expect(text).toContain('31 events since 2026-06-01T08:00:00.001Z');
    expect(text).toContain('1 critical, 30 warning');
    expect(text.indexOf('trouble 31')).toBeLessThan(text.indexOf('trouble 30'));
    expect(text).toContain('… and 16 more: `fairway events --after 0`');
  });

  it('stays within what Slack takes and calls nobody, whatever is in it', () => {
    const nasty = '<!channel> & <script>alert(1)</script> @here *bold* `code` https://evil.example\n';
    const events = Array.from({ length: 10_000 }, (_, id) => event(id, { message: nasty.repeat(2_000) }));
    const digest = slackDigest(events) as { blocks: { text: { text: string } }[]; text: string };
    for (const { text } of digest.blocks) {
      expect(text.text.length).toBeLessThan(3_000);
      expect(text.text).not.toMatch(/<!|<script|@here|https:\/\//);
    }
    expect(digest.text.length).toBeLessThan(300);
  });
});
