import type { Command } from 'commander';
import type { ConfigProblem } from '#fleet';
import { renderFiles, type RenderedText } from '#config';
import { formatOf } from '../commands/session.js';
import { EXIT } from '../exit-codes.js';
import { print } from '../output.js';
import type { OfflineOptions } from './offline-options.js';
import { OfflineScope, workingTree } from './offline-scope.js';
import { errorsOf, problemLines, tally } from './problem-lines.js';
import { writeFiles } from './write-files.js';

interface RenderedCluster {
  readonly cluster: string;
  readonly files: readonly RenderedText[];
  readonly problems: readonly ConfigProblem[];
}

/** Texts come out even where they are not valid, so that one can see why. Duplicate keys change no text: warnings. */
export function renderOffline(options: OfflineOptions, command: Command): void {
  const format = formatOf(command);
  const scope = OfflineScope.read({ duplicateKeys: 'warning', ...options });
  const tree = workingTree(options);
  const rendered = scope.clusters.map((one): RenderedCluster => ({
    cluster: one.cluster.alias,
    ...renderFiles(scope.inputFor(tree, one), scope.renderOptions),
  }));
  const { out } = options;
  if (out !== undefined) {
    for (const { cluster, files } of rendered) {
      writeFiles(rendered.length === 1 ? out : `${out}/${cluster}`, files);
    }
  }
  const problems = rendered.flatMap((one) => one.problems);
  for (const { cluster, problems: found } of rendered) {
    const who = rendered.length > 1 ? `${cluster}: ` : '';
    for (const problem of found) process.stderr.write(`${who}${problemLines(problem).join('\n')}\n`);
  }
  const answer = rendered.map(({ cluster, files, problems: found }) => ({
    cluster,
    files: Object.fromEntries(files.map(({ path, text }) => [path, out === undefined ? text : text.length])),
    problems: found,
  }));
  print(format, answer.length === 1 ? answer[0] : answer, () =>
    out === undefined ? rendered.map(streamOf).join('\n') : summaryOf(rendered, out),
  );
  if (errorsOf(problems).length > 0) process.exitCode = EXIT.error;
}

const streamOf = ({ files }: RenderedCluster): string =>
  files.map(({ path, text }) => `# file: ${path}\n${text.replace(/\n?$/, '')}`).join('\n---\n');

const summaryOf = (rendered: readonly RenderedCluster[], out: string): string =>
  rendered
    .map(({ cluster, files, problems }) => `${cluster}: ${files.length} files in ${out} (${tally(problems)})`)
    .join('\n');
