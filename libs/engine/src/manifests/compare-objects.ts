import { digestOfValue, toFailure, type Failure } from '#kernel';
import type { KubernetesObject, PathSegment } from '#fleet';
import { refKey, refOf } from '#fleet';
import {
  compareApply,
  contentDigest,
  desiredBody,
  FIELD_MANAGER,
  fieldsToDrop,
  managersOf,
  needsAdoption,
  pointerWays,
  type DesiredBody,
  type DiffLine,
  type StagedObject,
} from '#manifests';
import { mapBounded } from '../bounded.js';
import type { Pass } from '../pass/pass.js';
import { comparisonCache } from './comparison-cache.js';
import { API_CONCURRENCY, isUnknownKind, type Survey } from './survey.js';

/** What an apply of one object would do. */
export interface Compared {
  readonly staged: StagedObject;
  readonly live: KubernetesObject | undefined;
  /** What to send, and what was left to others. */
  readonly body: DesiredBody;
  /** `wait`: the object of that name is being deleted. */
  readonly action: 'create' | 'change' | 'none' | 'wait';
  readonly lines: readonly DiffLine[];
  /** Fields of `kubectl apply` have to be taken over first. */
  readonly adopt: boolean;
  /** The API server refused the dry-run; nothing is written then. */
  readonly refused?: Failure;
  /** Places whose difference was accepted, or is fought over: `body` has them as they are. */
  readonly accepted?: readonly Way[];
  /** Identity of what was compared: the body and the content of `live`. Absent where it was read again, or not asked. */
  readonly pair?: string;
}

type Way = readonly PathSegment[];

/** Places that stay as they are, by `refKey`. */
export type LeaveAlone = ReadonlyMap<string, readonly Way[]>;

interface Scope {
  readonly pass: Pass;
  readonly survey: Survey;
  readonly leaveAlone: LeaveAlone;
  readonly ignore: ReadonlyMap<string, readonly string[]>;
}

/**
 * Compares all objects with the cluster, at most one dry-run each, none for what is known from before. Namespaces and CRDs
 * go first: what needs one that is yet to be created is a creation, and cannot be asked for before.
 */
export async function compareObjects(
  pass: Pass,
  objects: readonly StagedObject[],
  survey: Survey,
  leaveAlone: LeaveAlone,
): Promise<ReadonlyMap<string, Compared>> {
  const ignore = new Map(pass.desired.components.map((one) => [one.name, one.settings.ignore]));
  const scope: Scope = { pass, survey, leaveAlone, ignore };
  const isBase = ({ object }: StagedObject): boolean =>
    object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition';
  const bases = await mapBounded(objects.filter(isBase), API_CONCURRENCY, (one) => compareOne(scope, one));
  const coming = comingWith(bases);
  const others = await mapBounded(
    objects.filter((one) => !isBase(one)),
    API_CONCURRENCY,
    async (staged) => (coming(staged.object) ? unasked(staged) : compareOne(scope, staged)),
  );
  return new Map([...bases, ...others].map((one) => [refKey(refOf(one.staged.object)), one]));
}

/** Whether an object needs a namespace or a kind that this very apply creates. */
function comingWith(bases: readonly Compared[]): (object: KubernetesObject) => boolean {
  const created = bases.filter(({ action }) => action === 'create').map(({ staged }) => staged.object);
  const namespaces = new Set(
    created.filter(({ kind }) => kind === 'Namespace').map((one) => one.metadata.name),
  );
  const kinds = new Set(
    created
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ spec }) => spec as { group?: string; names?: { kind?: string } } | undefined)
      .map((spec) => `${spec?.group}/${spec?.names?.kind}`),
  );
  return (object) =>
    namespaces.has(object.metadata.namespace ?? '') ||
    kinds.has(`${object.apiVersion.split('/')[0]}/${object.kind}`);
}

const unasked = (staged: StagedObject): Compared => ({
  staged,
  live: undefined,
  body: { object: staged.object, left: [] },
  action: 'create',
  lines: [],
  adopt: false,
});

async function compareOne(scope: Scope, staged: StagedObject): Promise<Compared> {
  const key = refKey(refOf(staged.object));
  const live = scope.survey.live.get(key);
  if (live?.metadata.deletionTimestamp !== undefined) return { ...unasked(staged), live, action: 'wait' };
  const accepted = scope.leaveAlone.get(key) ?? [];
  const body = bodyOf(scope, staged, live);
  const pair = pairOf(body.object, live, scope.ignore.get(staged.component) ?? []);
  const cache = comparisonCache(scope.pass.kubernetes);
  const now = scope.pass.ports.clock.now();
  const known = cache.find(key, pair, now);
  // The live object of now, because its status may be another.
  if (known) return live ? { ...known, live, staged } : { ...known, staged };
  const same = live && !needsAdoption(live) && scope.survey.inventory.get(key)?.confirmed === pair;
  const asked: Compared = same
    ? { staged, live, body, action: 'none', lines: [], adopt: false }
    : await ask(scope, staged, live, body);
  // The live object may have been read again since.
  const compared = asked.live === live ? { ...asked, accepted, pair } : { ...asked, accepted };
  if (!compared.refused) cache.store(key, pair, compared, now);
  return compared;
}

function bodyOf(scope: Scope, staged: StagedObject, live: KubernetesObject | undefined): DesiredBody {
  if (live === undefined) return { object: staged.object, left: [] };
  const ignored = (scope.ignore.get(staged.component) ?? []).flatMap((pointer) => [
    ...pointerWays(live, pointer),
    ...pointerWays(staged.object, pointer),
  ]);
  const accepted = scope.leaveAlone.get(refKey(refOf(staged.object))) ?? [];
  return desiredBody(staged.object, live, [...ignored, ...accepted]);
}

async function ask(
  scope: Scope,
  staged: StagedObject,
  live: KubernetesObject | undefined,
  body: DesiredBody,
  again = false,
): Promise<Compared> {
  const { kubernetes } = scope.pass;
  const found = { staged, live, body, lines: [], adopt: false } as const;
  try {
    const options = { dryRun: true, force: true, fieldManager: FIELD_MANAGER };
    const dryRun = await kubernetes.apply(body.object, options);
    if (live === undefined && existedBefore(dryRun)) return await adoptable(scope, staged);
    const ignore = scope.ignore.get(staged.component) ?? [];
    const { action, diff } = compareApply(live, dryRun, ignore);
    if (live && action !== 'none' && movedSince(live, dryRun) && !again) {
      const now = await kubernetes.get(refOf(staged.object));
      if (now) return await ask(scope, staged, now, bodyOf(scope, staged, now), true);
    }
    if (!live || !needsAdoption(live)) return { ...found, action, lines: diff };
    const drops = fieldsToDrop(staged.object, live);
    return { ...found, action: 'change', lines: [...diff, ...drops], adopt: true };
  } catch (error) {
    const failure = toFailure(error);
    if (isUnknownKind(error) && !live) return { ...found, action: 'create' };
    // A webhook with side effects: only the apply itself can tell.
    if (/does not support dry.?run/i.test(failure.message))
      return { ...found, action: live ? 'change' : 'create' };
    if (passesByItself(failure)) throw error;
    return { ...found, action: live ? 'change' : 'create', refused: failure };
  }
}

/** The object was there without our labels: read it, because what is in it decides what may be written. */
async function adoptable(scope: Scope, staged: StagedObject): Promise<Compared> {
  const live = await scope.pass.kubernetes.get(refOf(staged.object));
  if (!live) return { ...unasked(staged) };
  if (live.metadata.deletionTimestamp !== undefined) return { ...unasked(staged), live, action: 'wait' };
  return ask(scope, staged, live, bodyOf(scope, staged, live));
}

/** Somebody, a controller most likely, wrote between the list and the dry-run: what it wrote is no difference of ours. */
const movedSince = (live: KubernetesObject, dryRun: KubernetesObject): boolean =>
  (dryRun.metadata.resourceVersion ?? '') !== '' &&
  dryRun.metadata.resourceVersion !== live.metadata.resourceVersion;

/** The dry-run of a creation has no resourceVersion, and nobody but us in its fields. */
const existedBefore = (dryRun: KubernetesObject): boolean =>
  (dryRun.metadata.resourceVersion ?? '') !== '' ||
  managersOf(dryRun).some((entry) => entry.manager !== FIELD_MANAGER && entry.subresource !== 'status');

/** Trouble with the way to the API or with us, and not with the object. */
export const passesByItself = (failure: Failure): boolean =>
  failure.class === 'transient' ||
  failure.class === 'throttled' ||
  failure.class === 'bug' ||
  failure.code === 'lease-lost';

const pairOf = (
  body: KubernetesObject,
  live: KubernetesObject | undefined,
  ignore: readonly string[],
): string => digestOfValue([body, ignore, live === undefined ? 'absent' : contentDigest(live, ignore)]);

/**
 * What the inventory remembers of an object that is as it should be: the next comparison needs no dry-run then. Differences
 * that were accepted are part of it, so that a look at the drift still sees them.
 */
export function confirmedPair(pass: Pass, compared: Compared, live: KubernetesObject): string {
  const { staged, accepted = [] } = compared;
  const settings = pass.desired.components.find((one) => one.name === staged.component)?.settings;
  const ignore = settings?.ignore ?? [];
  const scope: Scope = {
    pass,
    survey: { live: new Map(), inventory: new Map() },
    leaveAlone: new Map([[refKey(refOf(staged.object)), accepted]]),
    ignore: new Map([[staged.component, ignore]]),
  };
  return pairOf(bodyOf(scope, staged, live).object, live, ignore);
}
