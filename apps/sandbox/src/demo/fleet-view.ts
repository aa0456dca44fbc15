import { formatDuration } from '#kernel';
import type { FleetClient } from '../fleet-client.js';

interface ClusterRow {
  readonly alias: string;
  readonly channel: string;
  readonly phase: string;
  readonly message: string;
  readonly step?: string;
  readonly progress?: { readonly done: number; readonly total: number; readonly unit: string };
  readonly current_version?: string;
  readonly next_version?: string;
  readonly eta_ms?: number;
  readonly eta_if?: string;
}

interface ChannelRow {
  readonly name: string;
  readonly paused_reason?: string;
  readonly head?: {
    readonly commit?: string;
    readonly phase: string;
    readonly wave: number;
    readonly waves: number;
    readonly why_not_yet: readonly {
      readonly gate: string;
      readonly state: string;
      readonly message: string;
    }[];
  };
}

export interface FleetSnapshot {
  readonly clusters: readonly ClusterRow[];
  readonly channels: readonly ChannelRow[];
}

export async function snapshot(client: FleetClient): Promise<FleetSnapshot> {
  const [clusters, channels] = await Promise.all([
    client.get<{ items: ClusterRow[] }>('/api/v1/clusters'),
    client.get<{ items: ChannelRow[] }>('/api/v1/channels'),
  ]);
  return { clusters: clusters.items, channels: channels.items };
}

/**
 * Shows the fleet as it moves: on a terminal one block that is rewritten, elsewhere one line whenever a cluster or a
 * channel has something new to say.
 */
export class FleetView {
  private readonly startedAt = Date.now();
  private readonly said = new Map<string, string>();
  private drawn = 0;

  constructor(private readonly live = process.stdout.isTTY === true) {}

  show(fleet: FleetSnapshot): void {
    const lines = [...fleet.channels.map(channelLine), ...fleet.clusters.map(clusterLine)];
    if (this.live) {
      const width = process.stdout.columns || 120;
      if (this.drawn > 0) process.stdout.write(`\u001b[${this.drawn}A\u001b[0J`);
      process.stdout.write(lines.map((line) => `${line.text.slice(0, width - 1)}\n`).join(''));
      this.drawn = lines.length;
      return;
    }
    for (const { key, text, news } of lines) {
      if (this.said.get(key) === news) continue;
      this.said.set(key, news);
      this.line(text);
    }
  }

  /** A line that stays. */
  line(text: string): void {
    this.drawn = 0;
    const elapsed = ((Date.now() - this.startedAt) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${elapsed}s  ${text}\n`);
  }
}

interface Line {
  readonly key: string;
  readonly text: string;
  /** What has to differ to be worth another line in a pipe. */
  readonly news: string;
}

function channelLine({ name, head, paused_reason: paused }: ChannelRow): Line {
  const phase = paused === undefined ? (head?.phase ?? 'empty') : `paused: ${paused}`;
  const wave = head && head.waves > 0 ? ` wave ${head.wave}/${head.waves}` : '';
  const why = head?.why_not_yet[0];
  const reason = why === undefined ? '' : `  ${why.gate}: ${why.message}`;
  const commit = head?.commit?.slice(0, 10) ?? '-';
  return {
    key: `channel ${name}`,
    text: `▸ ${name.padEnd(7)} ${commit.padEnd(10)} ${phase}${wave}${reason}`,
    news: `${commit} ${phase}${wave} ${why?.gate ?? ''}`,
  };
}

function clusterLine(row: ClusterRow): Line {
  const progress = row.progress
    ? ` ${bar(row.progress)} ${row.progress.done}/${row.progress.total} ${row.progress.unit}`
    : '';
  const eta =
    row.eta_ms === undefined
      ? ''
      : `, about ${formatDuration(row.eta_ms)} left${row.eta_if === undefined ? '' : ' at best'}`;
  const step = row.step === undefined ? '' : ` ${row.step}`;
  const versions = `${row.current_version?.slice(0, 7) ?? 'new'}${row.next_version === undefined ? '' : `→${row.next_version.slice(0, 7)}`}`;
  return {
    key: `cluster ${row.alias}`,
    text: `  ${row.alias.padEnd(11)} ${row.channel.padEnd(7)} ${row.phase.padEnd(9)} ${versions.padEnd(16)}${step}${progress}${eta}  ${row.message}`,
    news: `${row.phase} ${row.step ?? ''} ${row.progress?.done ?? ''}/${row.progress?.total ?? ''} ${versions}`,
  };
}

const bar = ({ done, total }: { done: number; total: number }): string => {
  const filled = total === 0 ? 0 : Math.round((done / total) * 10);
  return `[${'█'.repeat(filled)}${'░'.repeat(10 - filled)}]`;
};
