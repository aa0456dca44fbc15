import type { Command } from 'commander';
import { createRenderCache, validateRevision, type RevisionProblem } from '#config';
import { formatOf } from '../commands/session.js';
import { EXIT } from '../exit-codes.js';
import { print } from '../output.js';
import type { OfflineOptions } from './offline-options.js';
import { OfflineScope, workingTree } from './offline-scope.js';
import { errorsOf, problemLines, tally } from './problem-lines.js';

export function validateOffline(options: OfflineOptions, command: Command): void {
  const format = formatOf(command);
  const scope = OfflineScope.read(options);
  const tree = workingTree(options);
  const clusters = scope.clusters.map((one) => scope.inputFor(tree, one));
  const problems = validateRevision(tree, clusters, createRenderCache(), scope.renderOptions);
  const valid = errorsOf(problems).length === 0;
  const names = scope.clusters.map(({ cluster }) => cluster.alias);
  print(format, { valid, clusters: names, problems }, () => validationText(problems, names));
  if (!valid) process.exitCode = EXIT.error;
}

function validationText(problems: readonly RevisionProblem[], clusters: readonly string[]): string {
  const whom = clusters.length === 1 ? (clusters[0] ?? '') : `${clusters.length} clusters`;
  const lines = problems.flatMap((problem) => problemLines(problem, clusters.length));
  return [...lines, `${whom}: ${tally(problems)}`].join('\n');
}
