import type { DesiredState, KubernetesObject, StackTemplate } from '#fleet';
import { refKey, refOf } from '#fleet';
import { sha256Hex } from '#kernel';
import { stringify } from 'yaml';
import { diffLines } from './diff-lines.js';
import { MASK } from './mask.js';

export type ChangeKind = 'create' | 'change' | 'delete';

/** One stack, object or deletion that differs between two desired states. */
export interface DesiredChange {
  readonly kind: ChangeKind;
  /** `stack kube-1`, `object apps/Deployment kube-system/coredns`, `user data master-default`, `deletion …`. */
  readonly subject: string;
  readonly file: string;
  /** Unified: lines that begin with ` `, `-` or `+`; `@@` between parts. Secrets are masked. */
  readonly lines: readonly string[];
}

interface Shown {
  readonly text: string;
  readonly file: string;
}

/** What somebody would see change, in order of subjects. `from` undefined: everything is new. */
export function diffDesired(from: DesiredState | undefined, to: DesiredState): readonly DesiredChange[] {
  const before = from ? shown(from) : new Map<string, Shown>();
  const after = shown(to);
  const subjects = [...new Set([...before.keys(), ...after.keys()])].sort();
  return subjects.flatMap((subject) => change(subject, before.get(subject), after.get(subject)) ?? []);
}

function change(
  subject: string,
  before: Shown | undefined,
  after: Shown | undefined,
): DesiredChange | undefined {
  if (before?.text === after?.text) return undefined;
  const kind: ChangeKind = before === undefined ? 'create' : after === undefined ? 'delete' : 'change';
  const file = (after ?? before)?.file ?? '';
  return { kind, subject, file, lines: diffLines(before?.text ?? '', after?.text ?? '') };
}

function shown(state: DesiredState): Map<string, Shown> {
  const stacks = [state.clusterStack, ...(state.etcdStack ? [state.etcdStack] : []), ...state.extraStacks];
  const entries: (readonly [string, Shown])[] = [
    ...stacks.map((stack) => [`stack ${stack.name}`, showStack(stack)] as const),
    ...state.nodePools.flatMap((pool) => [
      [`stack ${pool.stack.name}`, showStack(pool.stack)] as const,
      [
        `user data ${pool.name}`,
        { text: `sha256:${sha256Hex(pool.userData)}\n`, file: pool.stack.file },
      ] as const,
    ]),
    ...state.components.flatMap((component) =>
      component.objects.map(
        ({ object, file }) =>
          [`object ${refKey(refOf(object))}`, { text: showObject(object), file }] as const,
      ),
    ),
    ...(['preApply', 'postApply'] as const).flatMap((when) =>
      state.deletions[when].map(
        (entry) =>
          [
            `deletion ${JSON.stringify({ when, ...entry })}`,
            { text: `${JSON.stringify(entry)}\n`, file: 'cluster/manifests/deletions.yaml' },
          ] as const,
      ),
    ),
  ];
  return new Map(entries);
}

/** User data may hold secrets: its digest is shown apart. */
const showStack = (stack: StackTemplate): Shown => ({
  text: stack.body.replace(/^(\s*"?UserData"?:\s*)("?)[A-Za-z0-9+/=]{40,}("?)\s*$/gm, `$1$2${MASK}$3`),
  file: stack.file,
});

function showObject(object: KubernetesObject): string {
  return stringify(object.kind === 'Secret' && object.apiVersion === 'v1' ? masked(object) : object, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

/** Values of a Secret by their digest, so that a change shows and the value does not. */
function masked(secret: KubernetesObject): object {
  const hide = (data: unknown): unknown =>
    typeof data === 'object' && data !== null
      ? Object.fromEntries(
          Object.entries(data).map(([key, value]) => [
            key,
            `${MASK} (sha256:${sha256Hex(JSON.stringify(value)).slice(0, 12)})`,
          ]),
        )
      : undefined;
  const { data, stringData } = secret as { data?: unknown; stringData?: unknown };
  return {
    ...secret,
    ...(data !== undefined && { data: hide(data) }),
    ...(stringData !== undefined && { stringData: hide(stringData) }),
  };
}

/** Changes that several clusters share, largest group first. */
export interface ChangeGroup {
  readonly clusters: readonly string[];
  readonly changes: readonly DesiredChange[];
}

/**
 * Groups clusters whose changes are the same but for their own names and for hashes: `41 clusters: the same 3 lines`.
 * The changes shown are those of the group's first cluster.
 */
export function groupDiffs(
  diffs: ReadonlyMap<
    string,
    { readonly names: readonly string[]; readonly changes: readonly DesiredChange[] }
  >,
): readonly ChangeGroup[] {
  const groups = new Map<string, { clusters: string[]; changes: readonly DesiredChange[] }>();
  for (const [cluster, { names, changes }] of diffs) {
    let key = JSON.stringify(
      changes.map(({ kind, subject, lines }) => [
        kind,
        subject,
        lines.filter((line) => !line.startsWith(' ') && !line.startsWith('@@')),
      ]),
    );
    key = key.replaceAll(/[0-9a-f]{64}|(?<=sha256:)[0-9a-f]{12}/g, '<hash>');
    for (const name of [...names].sort((a, b) => b.length - a.length))
      if (name) key = key.replaceAll(name, '<cluster>');
    const group = groups.get(key);
    if (group) group.clusters.push(cluster);
    else groups.set(key, { clusters: [cluster], changes });
  }
  return [...groups.values()].sort((a, b) => b.clusters.length - a.clusters.length);
}
