import { eventually } from '../../support/eventually.js';
import { startFleetBed, CHANNELS, TOKEN, type FleetBed } from '../lib/fleet-bed.js';
import type { Metric, Suite, SuiteContext } from '../lib/metric.js';
import { better } from '../lib/metric.js';
import { RoleProcess } from '../lib/role-process.js';
import { settleFleet } from '../lib/settled-fleet.js';
import { median } from '../lib/stats.js';
import type { Usage } from '../processes/counters.js';

export const FLEET_SIZE = 1_000;
const LIMIT = 180_000;
const VERBOSE = process.env['BENCH_VERBOSE'] !== undefined;

/** What a fleet of 1,000 clusters costs while nothing has to be done. */
export const noopSuite: Suite = async (context) => {
  const bed = await startFleetBed();
  try {
    const empty = await bed.worker.collectGarbage();
    context.say(`an empty worker: RSS ${empty.rssMb.toFixed(0)} MB, heap ${empty.heapMb.toFixed(0)} MB`);
    await settleFleet(bed, FLEET_SIZE);
    context.say(`${FLEET_SIZE} clusters in ${CHANNELS.length} channels`);
    await convergeChannels(bed);
    const commits = [await noopCommit(bed, context), await noopCommit(bed, context)] as const;
    const rings = [await ringAll(bed, context), await ringAll(bed, context)] as const;
    const lists = await listAll(bed, context);
    const asked = bed.outsideCalls();
    return [
      ...better(...commits),
      ...better(...rings),
      ...lists,
      { name: 'noop.outside-calls', value: asked, unit: 'calls', kind: 'count', target: 0 },
    ];
  } finally {
    await bed.close();
  }
};

/** Each channel's pass finds that its clusters run the head: only then does its content count as having run there. */
export async function convergeChannels(bed: FleetBed): Promise<void> {
  await bed.ring(CHANNELS.map((name) => `channel/${name}`));
  const converged = async (): Promise<boolean> => {
    const { rowCount } = await bed.sql.query(
      `SELECT 1 FROM channels c JOIN channel_revisions r ON r.channel = c.name AND r.revision_id = c.head_revision_id
        WHERE r.converged_at IS NOT NULL`,
    );
    if (rowCount === CHANNELS.length) return true;
    await bed.ring(CHANNELS.map((name) => `channel/${name}`));
    await new Promise((wake) => setTimeout(wake, 500));
    return false;
  };
  await eventually(converged, 'convergence of the channels', LIMIT);
}

async function noopCommit(bed: FleetBed, { say }: SuiteContext): Promise<readonly Metric[]> {
  const commit = await bed.pushEverywhere('README.md');
  await quiet(bed);
  await bed.worker.reset();
  const started = Date.now();
  await bed.ring([`repository/${bed.repositoryUrl}`]);
  await eventually(() => arrived(bed, commit), 'the commit on every cluster', LIMIT);
  const wall = Date.now() - started;
  const usage = await quiet(bed);
  tell(say, 'a commit that changes nothing', wall, usage);
  return [
    ...figures('noop.commit', wall, usage),
    { name: 'noop.commit.git-fetches', value: usage.gitFetches, unit: 'fetches', kind: 'count', target: 1 },
    {
      name: 'noop.commit.git-processes',
      value: usage.gitProcesses,
      unit: 'processes',
      kind: 'count',
      noise: 4,
    },
  ];
}

async function arrived(bed: FleetBed, commit: string): Promise<boolean> {
  const { rows } = await bed.sql.query<{ missing: number }>(
    `SELECT count(*)::int AS missing FROM cluster_runtimes
      WHERE status->>'currentVersion' IS DISTINCT FROM $1 OR status->>'phase' <> 'ready'`,
    [commit],
  );
  if (rows[0]?.missing === 0) return true;
  await new Promise((wake) => setTimeout(wake, 100));
  return false;
}

async function ringAll(bed: FleetBed, { say }: SuiteContext): Promise<readonly Metric[]> {
  const { rows } = await bed.sql.query<{ id: string }>('SELECT id FROM clusters ORDER BY id');
  await quiet(bed);
  const before = clusterPasses(await bed.worker.reset());
  const started = Date.now();
  await bed.ring(rows.map(({ id }) => `cluster/${id}`));
  const rung = Date.now() - started;
  const usage = await eventually(
    async () => {
      const now = await bed.worker.usage();
      return clusterPasses(now) - before >= rows.length ? now : undefined;
    },
    'a pass of every cluster',
    LIMIT,
  );
  const wall = Date.now() - started;
  tell(say, `${rows.length} doorbells (rung in ${rung} ms)`, wall, usage);
  return figures('noop.ring', wall, usage);
}

function figures(name: string, wall: number, usage: Usage): readonly Metric[] {
  return [
    { name: `${name}.wall`, value: wall, unit: 'ms', kind: 'cpu' },
    { name: `${name}.cpu-per-cluster`, value: usage.cpuMs / FLEET_SIZE, unit: 'ms', kind: 'cpu', target: 3 },
    {
      name: `${name}.queries-per-cluster`,
      value: usage.queries / FLEET_SIZE,
      unit: 'queries',
      kind: 'count',
    },
    { name: `${name}.loop-delay-p99`, value: usage.loopDelayP99Ms, unit: 'ms', kind: 'cpu', noise: 20 },
    { name: `${name}.rss`, value: usage.rssMb, unit: 'MB', kind: 'memory', target: 300 },
  ];
}

const clusterPasses = (usage: Usage): number =>
  Object.entries(usage.passes)
    .filter(([key]) => key.startsWith('cluster '))
    .reduce((sum, [, count]) => sum + count, 0);

/** Waits until the worker has stopped working. */
export async function quiet(bed: FleetBed): Promise<Usage> {
  let last = await bed.worker.usage();
  for (let calm = 0; calm < 3;) {
    await new Promise((wake) => setTimeout(wake, 200));
    const now = await bed.worker.usage();
    const same = JSON.stringify(now.passes) === JSON.stringify(last.passes);
    calm = same && now.queries - last.queries < 20 ? calm + 1 : 0;
    last = now;
  }
  return last;
}

function tell(say: SuiteContext['say'], what: string, wall: number, usage: Usage): void {
  say(
    `${what}: ${wall} ms, ${(usage.cpuMs / FLEET_SIZE).toFixed(2)} ms CPU and ${(usage.queries / FLEET_SIZE).toFixed(1)} queries per cluster, ` +
      `${usage.gitFetches} fetches in ${usage.gitProcesses} Git processes, RSS ${usage.rssMb.toFixed(0)} MB (heap ${usage.heapMb.toFixed(0)} MB), loop p99 ${usage.loopDelayP99Ms.toFixed(0)} ms`,
  );
  if (VERBOSE)
    console.log(
      JSON.stringify(usage.passes),
      usage.statements.map(([text, count]) => `\n   ${count} ${text}`).join(''),
    );
}

async function listAll(bed: FleetBed, { say }: SuiteContext): Promise<readonly Metric[]> {
  const api = await RoleProcess.start('api', bed.environment);
  try {
    const registry = await timeRequest(api, '/kubernetes-clusters?verbose=false');
    const fleet = await timeRequest(api, '/api/v1/clusters');
    say(`GET /kubernetes-clusters ${registry.wall} ms, GET /api/v1/clusters ${fleet.wall} ms`);
    return [...requestFigures('noop.list-registry', registry), ...requestFigures('noop.list-fleet', fleet)];
  } finally {
    await api.close();
  }
}

interface Timed {
  readonly wall: number;
  readonly cpu: number;
  readonly bytes: number;
}

async function timeRequest(api: RoleProcess, path: string): Promise<Timed> {
  const rounds = 12;
  const walls: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds + 3; round += 1) {
    if (round === 3) await api.reset();
    const started = performance.now();
    const response = await fetch(new URL(path, api.url), { headers: { Authorization: `Bearer ${TOKEN}` } });
    const body = await response.text();
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${body.slice(0, 200)}`);
    bytes = body.length;
    if (round >= 3) walls.push(performance.now() - started);
  }
  const usage = await api.usage();
  return { wall: Math.round(median(walls)), cpu: usage.cpuMs / rounds, bytes };
}

const requestFigures = (name: string, timed: Timed): readonly Metric[] => [
  { name: `${name}.wall`, value: timed.wall, unit: 'ms', kind: 'cpu', noise: 10 },
  { name: `${name}.cpu`, value: timed.cpu, unit: 'ms', kind: 'cpu', noise: 10 },
  { name: `${name}.bytes`, value: timed.bytes, unit: 'bytes', kind: 'count' },
];
