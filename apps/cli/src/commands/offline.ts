import type { Command } from 'commander';
import type { ConfigProblem } from '#fleet';
import { createRenderCache, explain, renderFiles, validateRevision } from '#config';
import type { ExplainedItem, LayerValue, RenderedText, RevisionProblem } from '#config';
import { CommandError, EXIT } from '../exit-codes.js';
import { type OfflineOptions, OfflineScope, withClusterOptions, withOfflineOptions, workingTree } from '../offline/offline-scope.js';
import { errorsOf, problemLines, tally } from '../offline/problem-lines.js';
import { writeFiles } from '../offline/write-files.js';
import { print, table } from '../output.js';
import { formatOf } from './session.js';

/** Commands that work on a configuration repository alone; `plan --offline` is with `plan`. */
export function addOffline(program: Command): void {
  withClusterOptions(withOfflineOptions(program.command('render')))
    .description('what a configuration repository renders to for a cluster')
    .option('--out <dir>', 'write the files here, with their paths; several clusters: one directory each')
    .action((options: OfflineOptions, command: Command) => renderOffline(options, command));
  withClusterOptions(withOfflineOptions(program.command('validate')))
    .description('everything that is wrong with a configuration repository, for one cluster or many')
    .action((options: OfflineOptions, command: Command) => validateOffline(options, command));
  const config = program.command('config').description('config items and where they come from');
  withOfflineOptions(config.command('explain <cluster> [key]'))
    .description('every config item, or one: its value, and what each layer says (<cluster> is a record file)')
    .action((file: string, key: string | undefined, options: OfflineOptions & { offline?: boolean }, command: Command) => {
      if (!options.offline) {
        throw new CommandError('config explain works on files only', EXIT.usage, 'Add --offline and name a record file.');
      }
      explainOffline(file, key, options, command);
    });
}

interface RenderedCluster {
  readonly cluster: string;
  readonly files: readonly RenderedText[];
  readonly problems: readonly ConfigProblem[];
}

/** Texts come out even where they are not valid, so that one can see why. Duplicate keys change no text: warnings. */
function renderOffline(options: OfflineOptions, command: Command): void {
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
  rendered.map(({ cluster, files, problems }) => `${cluster}: ${files.length} files in ${out} (${tally(problems)})`).join('\n');

function validateOffline(options: OfflineOptions, command: Command): void {
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

function explainOffline(file: string, key: string | undefined, options: OfflineOptions, command: Command): void {
  const scope = OfflineScope.read(options, [file]);
  const [one, ...more] = scope.clusters;
  if (!one || more.length > 0) throw new CommandError(`${file} holds ${scope.clusters.length} clusters`, EXIT.usage, 'Name a file with one.');
  const items = explain(scope.inputFor(workingTree(options), one), key);
  if (key !== undefined && items.length === 0) {
    throw new CommandError(`${one.cluster.alias} has no config item ${key}`, EXIT.error, 'Without a key, all items are listed.');
  }
  print(formatOf(command), items, () => (key === undefined ? itemTable(items) : items.map(itemText).join('\n')));
}

const itemTable = (items: readonly ExplainedItem[]): string =>
  table(
    ['KEY', 'VALUE', 'LAYER', 'WHERE'],
    items.map(({ key, value, layers }) => [key, oneLine(value), layers.at(-1)?.layer ?? '-', placeOf(layers.at(-1))]),
  );

const itemText = ({ key, value, layers }: ExplainedItem): string =>
  [
    `${key}: ${oneLine(value)}`,
    table(
      ['LAYER', 'VALUE', 'WHERE'],
      layers.map((layer) => [layer.layer, oneLine(layer.value), placeOf(layer)]),
    ),
  ].join('\n');

const placeOf = (layer: LayerValue | undefined): string =>
  layer?.file === undefined ? (layer?.reason ?? '') : `${layer.file}${layer.line === undefined ? '' : `:${layer.line}`}`;

const LONGEST = 60;
const oneLine = (value: string): string => {
  const text = value === '' ? '""' : value.replaceAll('\n', '\\n');
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};
