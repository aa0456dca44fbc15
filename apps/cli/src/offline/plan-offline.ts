import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ConfigTree, DesiredState } from '#fleet';
import { readDirectoryTree, readRevisionTree } from '#adapters/git';
import { createRenderCache, diffDesired, groupDiffs, renderCluster, validateRevision } from '#config';
import type { ChangeGroup, DesiredChange, RevisionProblem } from '#config';
import { formatOf } from '../commands/session.js';
import { CommandError, EXIT } from '../exit-codes.js';
import { paint, print } from '../output.js';
import type { PlanOptions } from './offline-options.js';
import { OfflineScope, workingTree } from './offline-scope.js';
import { errorsOf, problemLines, someOf, tally } from './problem-lines.js';
import { writeFiles } from './write-files.js';

interface Side {
  readonly name: string;
  readonly tree: ConfigTree;
}

/** Compares what two revisions make of some clusters, and shows clusters with the same changes together. */
export async function planOffline(options: PlanOptions, command: Command): Promise<void> {
  const scope = OfflineScope.read(options);
  const { from, to } = await sidesOf(options);
  const problems = problemsOf(scope, to);
  if (errorsOf(problems).length > 0) return refusePlan(to, problems, scope.clusters.length);
  const diffs = new Map(
    scope.clusters.map((one) => {
      const { cluster } = one;
      const before = from && stateOf(scope, from, one);
      const changes = diffDesired(before, stateOf(scope, to, one));
      return [cluster.alias, { names: [cluster.alias, cluster.id, cluster.localId], changes }] as const;
    }),
  );
  const groups = groupDiffs(diffs);
  const changed = groups.filter(({ changes }) => changes.length > 0);
  if (options.out !== undefined) writeDiffs(options.out, diffs);
  const answer = { from: from && describe(from), to: describe(to), groups };
  print(formatOf(command), answer, () =>
    [
      `${from?.name ?? 'nothing'} → ${to.name}`,
      ...groups.flatMap((group) => groupText(group, scope.clusters.length)),
    ].join('\n'),
  );
  if (changed.length > 0) process.exitCode = EXIT.changesPending;
}

/** What is not said: from the last commit, to the files as they lie there. */
async function sidesOf(
  options: PlanOptions,
): Promise<{ readonly from: Side | undefined; readonly to: Side }> {
  if (options.against !== undefined && options.from !== undefined) {
    throw new CommandError('--against and --from name the same side', EXIT.usage, 'Keep one of them.');
  }
  const revision = async (name: string): Promise<Side> => {
    const tree = await readRevisionTree(options.repo, name);
    return { name: `${name} (${tree.commit.slice(0, 10)})`, tree };
  };
  const to =
    options.to === undefined
      ? { name: options.repo, tree: workingTree(options) }
      : await revision(options.to);
  if (options.against !== undefined)
    return { from: { name: options.against, tree: readDirectoryTree(options.against) }, to };
  if (options.from !== undefined) return { from: await revision(options.from), to };
  const last = options.to === undefined ? 'HEAD' : `${options.to}~1`;
  if (existsSync(join(options.repo, '.git'))) return { from: await revision(last), to };
  process.stderr.write(
    `fairway: ${options.repo} is not the root of a Git work tree, so all is shown as new; --against DIR compares with another directory\n`,
  );
  return { from: undefined, to };
}

const cache = createRenderCache();

const problemsOf = (scope: OfflineScope, side: Side): readonly RevisionProblem[] =>
  validateRevision(
    side.tree,
    scope.clusters.map((one) => scope.inputFor(side.tree, one)),
    cache,
    scope.renderOptions,
  );

function stateOf(scope: OfflineScope, side: Side, one: OfflineScope['clusters'][number]): DesiredState {
  const rendered = renderCluster(scope.inputFor(side.tree, one), cache, scope.renderOptions);
  if (rendered.ok) return rendered.value;
  const problems = rendered.error;
  const lines = problems.slice(0, 10).flatMap((problem) => problemLines(problem));
  throw new CommandError(
    `${one.cluster.alias} cannot be rendered from ${side.name}: ${tally(problems)}\n${lines.join('\n')}`,
    EXIT.error,
    'Compare with a revision that is valid.',
  );
}

function refusePlan(side: Side, problems: readonly RevisionProblem[], clusters: number): never {
  for (const line of problems.flatMap((problem) => problemLines(problem, clusters)))
    process.stderr.write(`${line}\n`);
  throw new CommandError(
    `${side.name} is not valid: ${tally(problems)}`,
    EXIT.error,
    'Nothing of it would be written.',
  );
}

const describe = ({ name, tree }: Side) => ({ name, commit: tree.commit, tree_digest: tree.treeDigest });

const MARKS = { create: '+', change: '~', delete: '-' } as const;
const COLOURS = { '+': 'green', '-': 'red', '@': 'grey' } as const;

function groupText({ clusters, changes }: ChangeGroup, all: number): readonly string[] {
  const lines = changes.reduce(
    (sum, change) => sum + change.lines.filter((line) => /^[+-]/.test(line)).length,
    0,
  );
  const same = clusters.length > 1 ? 'the same ' : '';
  if (changes.length === 0) return ['', `${someOf(clusters, all)}: no changes`];
  return [
    '',
    `${someOf(clusters, all)}: ${same}${lines} ${lines === 1 ? 'line' : 'lines'} in ${changes.length} ${changes.length === 1 ? 'place' : 'places'}`,
    ...changes.flatMap((change) => changeText(change, painted)),
  ];
}

const changeText = (change: DesiredChange, line: (text: string) => string): readonly string[] => [
  `${MARKS[change.kind]} ${change.subject}  (${change.file})`,
  ...change.lines.map((text) => `    ${line(text)}`),
];

function painted(line: string): string {
  const colour = COLOURS[line.charAt(0) as keyof typeof COLOURS];
  return colour === undefined ? line : paint(colour, line);
}

/** One text per cluster, whether or not others have the same. */
function writeDiffs(
  directory: string,
  diffs: ReadonlyMap<string, { readonly changes: readonly DesiredChange[] }>,
): void {
  const files = [...diffs].map(([alias, { changes }]) => ({
    path: `${alias}.diff`,
    text: changes
      .flatMap((change) => changeText(change, (line) => line))
      .map((line) => `${line}\n`)
      .join(''),
  }));
  writeFiles(directory, files);
}
