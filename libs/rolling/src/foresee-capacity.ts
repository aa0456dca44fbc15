import type { CapacityView, VcpuQuota, VcpuSupply } from '#fleet';
import type { PoolDemand } from './capacity-demand.js';

/** Something that AWS will refuse, foreseen. */
export interface CapacityFinding {
  readonly code: 'quota-exceeded' | 'subnet-full';
  /** Not even one machine fits where one has to come before anything can go on. */
  readonly stops: boolean;
  readonly pools: readonly string[];
  /** In a few words, where `what` has all figures. */
  readonly brief: string;
  readonly what: string;
  readonly remedy: string;
  readonly owner?: string;
}

/** What nobody knows: neither enough nor too little. */
export interface CapacityUnknown extends Pick<CapacityFinding, 'code' | 'pools'> {
  /** For people: `whether …: why`. */
  readonly what: string;
}

export interface CapacityForecast {
  readonly findings: readonly CapacityFinding[];
  readonly unknown: readonly CapacityUnknown[];
}

/**
 * What of an update's machines the account has no room for. Figures are the least that can happen: of several types the
 * smallest counts, of several quotas the one with most room, one address per machine. Masters roll before workers, worker
 * pools at the same time. Sizes of groups are no limit: a roll widens them itself.
 */
export function foreseeCapacity(demands: readonly PoolDemand[], view: CapacityView): CapacityForecast {
  if (demands.length === 0) return { findings: [], unknown: [] };
  const quotas = byQuota(demands, view);
  const addresses = byAddress(demands, view);
  return {
    findings: [...quotas.findings, ...addresses.findings],
    unknown: [...quotas.unknown, ...addresses.unknown],
  };
}

/** One pool with the type that its new machines have at the least. */
interface Sized {
  readonly demand: PoolDemand;
  readonly type: string;
  readonly vcpus: number;
}

function byQuota(demands: readonly PoolDemand[], view: CapacityView): CapacityForecast {
  const { vcpus, account, region } = view;
  const place = `account ${account} (${region})`;
  if (!vcpus.known) {
    const what = `whether the vCPU quotas of ${place} allow ${whatOf(demands)}: ${vcpus.why}`;
    return { findings: [], unknown: [{ code: 'quota-exceeded', pools: demands.map(nameOf), what }] };
  }
  const supply = vcpus.value;
  const sized = new Map<string, Sized[]>();
  const unknown: CapacityUnknown[] = [];
  for (const demand of demands) {
    const choice = choose(demand, supply);
    if (choice === undefined) unknown.push(unpriced(demand, place));
    else sized.set(choice.code, [...(sized.get(choice.code) ?? []), { demand, ...choice }]);
  }
  const findings = supply.quotas.flatMap((quota) =>
    exceeded(quota, sized.get(quota.code) ?? [], supply, view),
  );
  return { findings, unknown };
}

/** Undefined where a type could be launched under a quota that nobody knows. */
function choose(
  { instanceTypes, market }: PoolDemand,
  { types, quotas }: VcpuSupply,
): { readonly code: string; readonly type: string; readonly vcpus: number } | undefined {
  const options = instanceTypes.map((type) => {
    const price = types[type];
    const code = market === 'spot' ? price?.spot : price?.onDemand;
    const quota = quotas.find((one) => one.code === code);
    return price && quota ? { code: quota.code, type, vcpus: price.vcpus, room: roomOf(quota) } : undefined;
  });
  const known = options.filter((option) => option !== undefined);
  if (known.length === 0 || known.length < options.length) return undefined;
  return known.reduce((best, option) => {
    if (option.code === best.code) return option.vcpus < best.vcpus ? option : best;
    return option.room / option.vcpus > best.room / best.vcpus ? option : best;
  });
}

const roomOf = ({ limit, used }: VcpuQuota): number => limit - used;

const nameOf = ({ pool }: PoolDemand): string => pool;

const unpriced = ({ pool, instanceTypes, market }: PoolDemand, place: string): CapacityUnknown => ({
  code: 'quota-exceeded',
  pools: [pool],
  what: `whether the vCPU quotas of ${place} allow ${pool}: none is known for ${instanceTypes.join(', ')} ${market}`,
});

function exceeded(
  quota: VcpuQuota,
  pools: readonly Sized[],
  supply: VcpuSupply,
  { account, region, owner }: CapacityView,
): readonly CapacityFinding[] {
  const course = (sized: Sized): Course => vcpusOf(sized, quota.code, supply);
  const needed = peakOf(pools, course);
  const room = roomOf(quota);
  if (needed <= 0 || needed <= room) return [];
  const demands = pools.map(({ demand }) => demand);
  const stopped = pools.filter(({ demand, vcpus }) => cannotWait(demand) && room < vcpus);
  // Of the one that asks for most; where something stands still, of what is least for that to end.
  const { type, vcpus } =
    stopped.length > 0
      ? stopped.reduce((a, b) => (b.vcpus < a.vcpus ? b : a))
      : pools.reduce((a, b) => (course(b).peak > course(a).peak ? b : a));
  const fits = Math.max(0, Math.floor(room / vcpus));
  const rest =
    fits === 0 ? `not even one more ${type} (${vcpus} vCPUs)` : `room for at most ${fits} more ${type}`;
  const place = `account ${account} (${region})`;
  return [
    {
      code: 'quota-exceeded',
      stops: stopped.length > 0,
      pools: demands.map(nameOf),
      brief: `quota ${quota.code} of ${place}: ${quota.used} of ${quota.limit} vCPUs run, ${rest}`,
      what: `${whatOf(demands)} ${needs(demands)} ${needed} more vCPUs at the peak; "${quota.name}" allows ${quota.limit} in ${place}, ${quota.used} run: ${rest}.`,
      remedy: `Have AWS raise quota ${quota.code} there to ${quota.used + needed} or more, or free machines of the account${withoutSurge(stopped)}.`,
      ...(owner !== undefined && owner !== '' && { owner }),
    },
  ];
}

const cannotWait = ({ growth, needsSurge }: PoolDemand): boolean => growth > 0 || needsSurge;

/** Only where it is enough: everything that stands still are rolls of workers. A master less is nothing to be recommended. */
function withoutSurge(stopped: readonly Sized[]): string {
  const enough = stopped.every(({ demand }) => demand.needsSurge && demand.growth === 0 && !demand.master);
  if (stopped.length === 0 || !enough) return '';
  const names = stopped.map(({ demand }) => demand.pool).join(', ');
  return `, or let ${names} do with one node less while it rolls (config items max_surge: "0", max_unavailable: "1")`;
}

/** Most vCPUs beyond today's under one quota while the pool changes, and what stays of them. */
function vcpusOf(
  { demand: { growth, surge, replaced }, vcpus }: Sized,
  code: string,
  { types }: VcpuSupply,
): Course {
  const change = replaced.map(({ instanceType, market }) => {
    const price = types[instanceType];
    const under = market === 'spot' ? price?.spot : price?.onDemand;
    // A machine of unknown size or of another quota gives nothing back here.
    return vcpus - (price && under === code ? price.vcpus : 0);
  });
  let [most, at] = [0, 0];
  // The last ones go when their replacements, the surge, are there already.
  for (const one of change.slice(0, Math.max(0, change.length - surge))) {
    at += one;
    most = Math.max(most, at);
  }
  const grown = growth * vcpus;
  const stays = grown + change.reduce((total, one) => total + one, 0);
  return { peak: grown + surge * vcpus + most, stays };
}

interface Course {
  readonly peak: number;
  readonly stays: number;
}

/** Masters first, then all workers at the same time. */
function peakOf<T extends { readonly demand: PoolDemand }>(
  pools: readonly T[],
  course: (one: T) => Course,
): number {
  const total = (master: boolean, part: keyof Course): number =>
    pools.filter(({ demand }) => demand.master === master).reduce((sum, one) => sum + course(one)[part], 0);
  return Math.max(total(true, 'peak'), total(true, 'stays') + total(false, 'peak'));
}

function byAddress(demands: readonly PoolDemand[], view: CapacityView): CapacityForecast {
  const placed = demands.filter(({ growth, surge, subnetIds }) => growth + surge > 0 && subnetIds.length > 0);
  if (placed.length === 0) return { findings: [], unknown: [] };
  const { addresses } = view;
  if (!addresses.known) {
    const what = `whether the subnets have addresses for ${whatOf(placed)}: ${addresses.why}`;
    return { findings: [], unknown: [{ code: 'subnet-full', pools: placed.map(nameOf), what }] };
  }
  const places = new Map<string, PoolDemand[]>();
  for (const demand of placed) {
    const key = demand.subnetIds.join(', ');
    places.set(key, [...(places.get(key) ?? []), demand]);
  }
  const findings: CapacityFinding[] = [];
  const unknown: CapacityUnknown[] = [];
  for (const [subnets, pools] of places) {
    const counts = pools[0]?.subnetIds.map((id) => addresses.value[id]) ?? [];
    const known = counts.filter((count) => count !== undefined);
    const what = `whether ${subnets} have addresses for ${whatOf(pools)}: one does not exist`;
    if (known.length < counts.length) unknown.push({ code: 'subnet-full', pools: pools.map(nameOf), what });
    else findings.push(...full(subnets, pools, known));
  }
  return { findings, unknown };
}

function full(
  subnets: string,
  pools: readonly PoolDemand[],
  counts: readonly number[],
): readonly CapacityFinding[] {
  const free = counts.reduce((total, count) => total + count, 0);
  const needed = peakOf(
    pools.map((demand) => ({ demand })),
    ({ demand: { growth, surge } }) => ({ peak: growth + surge, stays: growth }),
  );
  if (needed <= free) return [];
  return [
    {
      code: 'subnet-full',
      stops: free === 0 && pools.some(cannotWait),
      pools: pools.map(nameOf),
      brief: `${subnets}: ${free === 0 ? 'no' : free} free ${free === 1 ? 'address' : 'addresses'}`,
      what: `${whatOf(pools)} ${needs(pools)} ${needed} more ${needed === 1 ? 'address' : 'addresses'} at the peak; ${subnets} have ${free} free.`,
      remedy: 'Free addresses in these subnets, or give the pool a subnet with room.',
    },
  ];
}

const needs = (demands: readonly PoolDemand[]): string => (demands.length === 1 ? 'needs' : 'need');

/** `the roll of workers`, `the rolls of a and b`, `workers growing by 2`, `the new pool gpu (3 machines)` */
function whatOf(demands: readonly PoolDemand[]): string {
  const rolls = demands.filter(({ exists, growth }) => exists && growth === 0).map(({ pool }) => pool);
  const others = demands
    .filter(({ exists, growth }) => !exists || growth > 0)
    .map(({ pool, exists, growth, replaced }) => {
      if (!exists) return `the new pool ${pool} (${growth} ${growth === 1 ? 'machine' : 'machines'})`;
      return `${pool} ${replaced.length > 0 ? 'rolling and ' : ''}growing by ${growth}`;
    });
  const rolled =
    rolls.length === 0 ? [] : [`the ${rolls.length === 1 ? 'roll' : 'rolls'} of ${listed(rolls)}`];
  return listed([...rolled, ...others]);
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
