import type { Command } from 'commander';
import { createRenderCache, validateRevision, type RevisionProblem } from '#config';
import type { ConfigTree } from '#fleet';
import { parsePolicy } from '#promotion';
import { formatOf } from '../commands/session.js';
import { EXIT } from '../exit-codes.js';
import { print } from '../output.js';
import type { OfflineCluster } from './cluster-records.js';
import type { OfflineOptions } from './offline-options.js';
import { OfflineScope, workingTree } from './offline-scope.js';
import { errorsOf, problemLines, tally } from './problem-lines.js';

export function validateOffline(options: OfflineOptions, command: Command): void {
  const format = formatOf(command);
  const scope = OfflineScope.read(options);
  const tree = workingTree(options);
  const clusters = scope.clusters.map((one) => scope.inputFor(tree, one));
  const problems = [
    ...policyProblems(tree, scope.clusters),
    ...validateRevision(tree, clusters, createRenderCache(), scope.renderOptions),
  ];
  const valid = errorsOf(problems).length === 0;
  const names = scope.clusters.map(({ cluster }) => cluster.alias);
  print(format, { valid, clusters: names, problems }, () => validationText(problems, names));
  if (!valid) process.exitCode = EXIT.error;
}

const POLICY_FILE = 'fairway.yaml';

/** A policy with one fault stops its channel, so a repository's CI is to find it. Without the file the built-in one applies. */
function policyProblems(tree: ConfigTree, clusters: readonly OfflineCluster[]): readonly RevisionProblem[] {
  const text = tree.files.get(POLICY_FILE);
  if (text === undefined) return [];
  const parsed = parsePolicy(text, POLICY_FILE);
  const inChannel = (channel?: string): readonly string[] =>
    clusters
      .map(({ cluster }) => cluster)
      .filter((cluster) => channel === undefined || cluster.channel === channel)
      .map(({ alias }) => alias);
  if (!parsed.ok) return parsed.error.map((problem) => ({ ...problem, clusters: inChannel() }));
  const described = new Set(parsed.value.channels.map(({ name }) => name));
  const missing = new Set(
    clusters.map(({ cluster }) => cluster.channel).filter((one) => !described.has(one)),
  );
  return [...missing].map((channel) => ({
    severity: 'error',
    code: 'channel-without-policy',
    message: `nothing is said about channel ${channel}`,
    file: POLICY_FILE,
    field: 'channels',
    hint: 'Add it to "channels"; until then nothing moves in it.',
    clusters: inChannel(channel),
  }));
}

function validationText(problems: readonly RevisionProblem[], clusters: readonly string[]): string {
  const whom = clusters.length === 1 ? (clusters[0] ?? '') : `${clusters.length} clusters`;
  const lines = problems.flatMap((problem) => problemLines(problem, clusters.length));
  return [...lines, `${whom}: ${tally(problems)}`].join('\n');
}
