import type { Cluster, ConfigTree, GeneratedFile, LockedInputs, StackTemplate } from '#fleet';
import { createHash } from 'node:crypto';
import { etcdFiles, extraStackFiles, PATHS } from '../layout/config-layout.js';
import { EKS } from '../model/cluster.model.js';
import { NODE_POOL } from '../model/node-pool.model.js';
import { instanceInfo } from '../model/instance-info.model.js';
import { problem } from '../problems.js';
import type { ProblemList } from '../problems.js';
import type { GoValue } from '../template/types.js';
import { str } from '../template/values.js';
import { checkStack } from '../validation/cloudformation.js';
import type { StackFacts } from '../validation/cloudformation.js';
import type { EffectiveConfig } from './effective-config.js';
import { nilPointer, rootData } from './file-renderer.js';
import type { FileRenderer, RenderCache, RenderedFile } from './file-renderer.js';
import { cachedPart, filesDigest } from './parts.js';
import { asData, withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** What all stacks of one cluster share. */
export interface StackContext {
  readonly tree: ConfigTree;
  readonly files: FileRenderer;
  readonly config: EffectiveConfig;
  readonly cluster: GoValue;
  readonly inputs: LockedInputs;
  readonly problems: ProblemList;
  readonly filesBucket: string;
  /** Filled while rendering: files that user data downloads, by key. */
  readonly generated: Map<string, GeneratedFile>;
  /** Digest of everything but the files that a part of the render can depend on. */
  readonly contextKey: string;
  readonly cache: RenderCache | undefined;
}

/** A part of the render that depends on these files and on the context alone; rendered once. */
export const partOf = <T>(
  context: StackContext,
  name: string,
  files: readonly string[],
  make: (context: StackContext) => T,
): T =>
  cachedPart(
    context.cache,
    `${name} ${context.contextKey} ${filesDigest(context.tree, files)}`,
    context,
    (own) => make({ ...context, ...own }),
  );

const DEFAULT_ETCD_STACK = 'etcd-cluster-etcd';

const clusterName = (cluster: Cluster): string => (cluster.provider === EKS ? cluster.alias : cluster.id);

export const ownedTags = (cluster: Cluster): Readonly<Record<string, string>> => ({
  [`kubernetes.io/cluster/${clusterName(cluster)}`]: 'owned',
});

export const dataOf = (
  context: StackContext,
  values: Values,
  pool: GoValue = nilPointer(NODE_POOL),
): GoValue => rootData(context.cluster, asData(values), pool);

export function renderStack(
  context: StackContext,
  file: string,
  values: Values,
  describe: (facts: StackFacts) => { readonly name: string; readonly tags: Readonly<Record<string, string>> },
  pool?: GoValue,
  as = file,
): { readonly stack: StackTemplate; readonly facts: StackFacts } | undefined {
  const rendered = context.problems.attempt(() =>
    context.files.render(file, dataOf(context, values, pool), undefined, as),
  );
  if (!rendered) return undefined;
  const { facts, problems } = checkStack(context.files, rendered);
  context.problems.add(...problems);
  if (!facts) return undefined;
  const { name, tags } = describe(facts);
  return {
    stack: { name, body: rendered.text, parameters: {}, tags: { ...facts.tags, ...tags }, file },
    facts,
  };
}

/** The main stack and the names of its outputs. */
export function renderClusterStack(context: StackContext, values: Values): ReturnType<typeof renderStack> {
  if (!context.files.has(PATHS.clusterStack)) {
    context.problems.add(
      problem(
        'missing-file',
        'the cluster stack is missing',
        { file: PATHS.clusterStack },
        'Add cluster/cluster.yaml.',
      ),
    );
    return undefined;
  }
  const { cluster } = context.config;
  return renderStack(context, PATHS.clusterStack, values, () => ({
    name: cluster.localId,
    tags: { ...ownedTags(cluster), 'cluster-lifecycle-controller.zalando.org/main-stack': 'true' },
  }));
}

export function renderEtcdStack(context: StackContext, values: Values): StackTemplate | undefined {
  const paths = etcdFiles(context.tree);
  if (paths.stack === undefined) return undefined;
  const { items } = context.config;
  let own = values;
  const type = items['etcd_instance_type'];
  if (type !== undefined) {
    const info = instanceInfo([type], context.inputs.instanceTypes);
    if ('value' in info) own = withValue(own, 'etcd_instance_type_info', info.value);
  }
  const { files } = paths;
  if (files !== undefined) {
    const data = dataOf(context, own);
    const rendered = context.problems.attempt(() => context.files.render(files, data));
    if (!rendered) return undefined;
    own = withValue(own, 'S3GeneratedFilesPath', str(generatedFile(context, rendered, 'etcd')));
  }
  return renderStack(context, paths.stack, own, () => ({
    name: items['etcd_stack_name'] ?? DEFAULT_ETCD_STACK,
    tags: { application: 'kubernetes', component: 'etcd-cluster' },
  }))?.stack;
}

/** Extra stacks name themselves in their metadata; a file that renders to nothing is no stack. */
export function renderExtraStacks(context: StackContext, values: Values): readonly StackTemplate[] {
  const found: StackTemplate[] = [];
  for (const file of extraStackFiles(context.tree)) {
    const rendered = context.problems.attempt(() => context.files.render(file, dataOf(context, values)));
    if (!rendered || isBlank(rendered)) continue;
    const made = renderStack(context, file, values, ({ stackName = '' }) => ({
      name: stackName,
      tags: ownedTags(context.config.cluster),
    }));
    if (!made) continue;
    const clash = found.find(({ name }) => name === made.stack.name);
    if (made.stack.name === '') {
      context.problems.add(
        problem('invalid-stack', 'Metadata.StackName is missing', {
          file,
          line: 1,
          field: 'Metadata.StackName',
        }),
      );
    } else if (clash) {
      context.problems.add(
        problem('duplicate-stack', `the stack ${made.stack.name} is also defined in ${clash.file}`, {
          file,
          line: 1,
        }),
      );
    } else found.push(made.stack);
  }
  return found;
}

const isBlank = (rendered: RenderedFile): boolean =>
  rendered.text.split('\n').every((line) => /^\s*(#.*)?$/.test(line) || line === '---');

/** Notes a rendered `files.yaml` for storage under the hash of its content, and says where it will be. */
export function generatedFile(
  context: StackContext,
  rendered: RenderedFile,
  kind: string,
  keyOutput?: GeneratedFile['keyOutput'],
): string {
  const hash = createHash('sha512').update(rendered.text).digest('hex');
  const key = `${context.config.cluster.localId}/${kind}/${hash}.userdata`;
  const bucket = context.filesBucket;
  context.generated.set(key, {
    bucket,
    key,
    text: rendered.text,
    ...(keyOutput && { keyOutput }),
    file: rendered.file,
  });
  return `s3://${bucket}/${key}`;
}
