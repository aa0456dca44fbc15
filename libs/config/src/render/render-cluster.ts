import { ETCD_ITEMS, type ConfigProblem, type DesiredState } from '#fleet';
import { canonicalJson, digestOf, err, ok, sha256Hex } from '#kernel';
import type { Result } from '#kernel';
import { etcdFiles, extraStackFiles, PATHS } from '../layout/config-layout.js';
import { clusterValue, EKS } from '../model/cluster.model.js';
import { NODE_POOL } from '../model/node-pool.model.js';
import { problem, ProblemList } from '../problems.js';
import { lockedLookups } from './lookups.js';
import type { RenderBudget } from '../template/render-budget.js';
import { stringMap } from '../template/values.js';
import { kubernetesVersion, validateObjects } from '../validation/validate-components.js';
import { effectiveConfig } from './effective-config.js';
import type { EffectiveConfig } from './effective-config.js';
import { FileRenderer, nilPointer, rootData } from './file-renderer.js';
import type { RenderCache } from './file-renderer.js';
import { karpenterComponents } from './render-karpenter.js';
import { renderComponents } from './render-components.js';
import { readDeletions } from './render-deletions.js';
import type { RenderInput, RenderOptions } from './render-input.js';
import { RENDERER_VERSION, renderBudget, whileUnspent } from './render-input.js';
import { renderNodePools } from './render-node-pools.js';
import { resultCost } from './result-cost.js';
import { partOf, renderClusterStack, renderEtcdStack, renderExtraStacks } from './render-stacks.js';
import type { StackContext } from './render-stacks.js';
import { asData, clusterValues, withValue } from './template-values.js';
import type { Values } from './template-values.js';

const FILES_BUCKET = 'cluster-lifecycle-manager-{account}-{region}';

const FORGED: ReadonlySet<string> = new Set(['refused-key', 'config-item-breaks-document']);

/**
 * Renders everything of one cluster. Pure: equal inputs give an equal state, or an equal list of problems. All problems
 * of all files are returned together; a state is returned only if none of them is an error.
 */
export function renderCluster(
  input: RenderInput,
  cache?: RenderCache,
  options: RenderOptions = {},
): Result<DesiredState, readonly ConfigProblem[]> {
  const key = `cluster ${renderDigest(input, options)}`;
  const known = cache?.get(key) as Result<DesiredState, readonly ConfigProblem[]> | undefined;
  if (known) return known;
  const budget = renderBudget(input.tree, options);
  const rendered = renderUncached(input, cache && whileUnspent(cache, budget), options, budget);
  // What was cut short says nothing about the next try.
  if (!budget.spent) cache?.set(key, rendered, resultCost(rendered));
  return rendered;
}

/** One rendered file: path as in the repository, a pool's files under the pool's name instead of its profile's. */
export interface RenderedText {
  readonly path: string;
  readonly text: string;
}

/**
 * All files as text, in order of paths, whether or not they are valid, and what is wrong with them. A file whose template
 * fails has no text.
 */
export function renderFiles(
  input: RenderInput,
  options: RenderOptions = {},
): { readonly files: readonly RenderedText[]; readonly problems: readonly ConfigProblem[] } {
  const texts = new Map<string, string>();
  const budget = renderBudget(input.tree, options);
  const state = renderUncached(input, undefined, options, budget, (path, text) => texts.set(path, text));
  const files = [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => ({ path, text }));
  return { files, problems: state.ok ? state.value.warnings : state.error };
}

/** Identity of a render: equal digests give equal results. */
export function renderDigest(input: RenderInput, options: RenderOptions = {}): string {
  const { tree, cluster, inputs } = input;
  const own = tree.files.get(PATHS.cluster(cluster.alias));
  const record = { ...cluster, recordVersion: 0 };
  return sha256Hex(
    canonicalJson([
      RENDERER_VERSION,
      tree.commit,
      tree.treeDigest,
      own === undefined ? null : sha256Hex(own),
      record,
      input.account ?? null,
      (input.accountClusters ?? []).map((one) => ({ ...one, recordVersion: 0 })),
      input.overrides ?? [],
      inputs.digest,
      inputs.clusterStackOutputs ?? null,
      options.filesBucket ?? null,
      options.kubernetesVersion ?? null,
      options.duplicateKeys ?? null,
    ]),
  );
}

function renderUncached(
  input: RenderInput,
  cache: RenderCache | undefined,
  options: RenderOptions,
  budget: RenderBudget,
  collect?: (path: string, text: string) => void,
): Result<DesiredState, readonly ConfigProblem[]> {
  const problems = new ProblemList();
  const files = new FileRenderer(input.tree, {
    lookups: lockedLookups(input),
    limits: options.limits,
    budget,
    duplicateKeys: options.duplicateKeys,
    collect,
    cache,
  });
  const config = effectiveConfig(input, files, problems, cache);
  // What a forged value would do to the files is not worth telling.
  const forged = problems.errors.filter(({ code }) => FORGED.has(code));
  if (forged.length > 0) return err(forged);
  const context = stackContext(input, cache, options, files, config, problems);
  const stacks = renderStacks(context, input);
  const manifests = renderManifests(stacks.context, stacks.values);
  const components = [...manifests.components, ...stacks.karpenter];
  const deletions = partOf(stacks.context, 'deletions', [PATHS.deletions], (own) =>
    renderDeletions(own, stacks.values),
  );
  problems.add(...files.notRendered());
  const objects = components.flatMap((component) => component.objects);
  validateObjects([...objects, ...manifests.readable], config, options, problems);
  const { clusterStack, ...otherStacks } = stacks;
  if (problems.errors.length > 0 || !clusterStack) return err([...problems.errors, ...problems.warnings]);
  const content = { clusterStack, ...otherStacks, components, deletions };
  return ok(withDigest(assemble(input, context, content)));
}

type Content = Pick<ReturnType<typeof renderStacks>, 'etcdStack' | 'extraStacks' | 'nodePools'> &
  Pick<DesiredState, 'clusterStack' | 'components' | 'deletions'>;

function assemble(input: RenderInput, context: StackContext, content: Content): Omit<DesiredState, 'digest'> {
  const version = kubernetesVersion(context.config);
  return {
    clusterId: input.cluster.id,
    commit: input.tree.commit,
    treeDigest: input.tree.treeDigest,
    provisional: input.inputs.clusterStackOutputs === undefined,
    ...(version !== undefined && { kubernetesVersion: version }),
    ...(content.etcdStack && { etcdStack: content.etcdStack }),
    ...etcdItems(context.config),
    clusterStack: content.clusterStack,
    extraStacks: content.extraStacks,
    nodePools: content.nodePools,
    components: content.components,
    deletions: content.deletions,
    generatedFiles: [...context.generated.values()],
    warnings: context.problems.warnings,
  };
}

/** All stacks; those after the cluster's own see its outputs, or placeholders while there are none. */
function renderStacks(context: StackContext, input: RenderInput) {
  const { tree } = context;
  const before = clusterValues(context.config, input.inputs);
  const etcd = Object.values(etcdFiles(tree));
  // AWS runs the etcd of its own control planes.
  const etcdStack =
    input.cluster.provider === EKS
      ? undefined
      : partOf(context, 'etcd', etcd, (own) => renderEtcdStack(own, before));
  const main = partOf(context, 'cluster-stack', [PATHS.clusterStack], (own) =>
    renderClusterStack(own, before),
  );
  const outputs = input.inputs.clusterStackOutputs ?? placeholders(main?.facts.outputs ?? []);
  const values = withValue(before, 'ClusterStackOutputs', stringMap(outputs));
  // Placeholders are part of what depends on them.
  const after = { ...context, contextKey: sha256Hex(context.contextKey + Object.keys(outputs).join('\n')) };
  const poolFiles = [...tree.files.keys()].filter((path) => path.startsWith(PATHS.nodePools));
  return {
    context: after,
    values,
    etcdStack,
    clusterStack: main?.stack,
    extraStacks: partOf(after, 'extra-stacks', extraStackFiles(tree), (own) =>
      renderExtraStacks(own, values),
    ),
    nodePools: partOf(after, 'node-pools', poolFiles, (own) => renderNodePools(own, values)),
    karpenter: partOf(after, 'karpenter', poolFiles, (own) => karpenterComponents(own, values)),
  };
}

/**
 * The commit is not part of the digest: a commit that changes nothing for a cluster must cost it nothing. The order of
 * members is fixed by how the state is made, and items are sorted, so plain JSON identifies it.
 */
function withDigest(state: Omit<DesiredState, 'digest'>): DesiredState {
  const { commit: _c, treeDigest: _t, warnings: _w, generatedFiles: _g, components, ...content } = state;
  const digests = components.map(({ name, digest }) => [name, digest]);
  return { digest: digestOf(JSON.stringify({ ...content, components: digests })), ...state };
}

/** Stand-ins for outputs of a stack that does not exist yet. */
const placeholders = (outputs: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(outputs.map((name) => [name, `provisional-${name}`]));

function stackContext(
  input: RenderInput,
  cache: RenderCache | undefined,
  options: RenderOptions,
  files: FileRenderer,
  config: EffectiveConfig,
  problems: ProblemList,
): StackContext {
  const { cluster } = config;
  const value = clusterValue(
    {
      cluster,
      items: config.items,
      poolItems: config.pools.map((pool) => pool.configItems),
      ...(input.account && { account: input.account }),
    },
    input.accountClusters ?? [input.cluster],
  );
  const filesBucket = (options.filesBucket ?? FILES_BUCKET)
    .replace('{account}', cluster.infrastructureAccount.replace(/^aws:/, ''))
    .replace('{region}', cluster.region);
  return {
    tree: input.tree,
    files,
    config,
    cluster: value,
    inputs: input.inputs,
    problems,
    filesBucket,
    generated: new Map(),
    contextKey: contextKeyOf(input, config, filesBucket, options),
    cache,
  };
}

const contextKeyOf = (
  input: RenderInput,
  config: EffectiveConfig,
  filesBucket: string,
  options: RenderOptions,
): string =>
  sha256Hex(
    JSON.stringify([
      RENDERER_VERSION,
      { ...config.cluster, recordVersion: 0 },
      config.items,
      input.account ?? null,
      (input.accountClusters ?? []).map((one) => ({ ...one, recordVersion: 0 })),
      input.inputs.digest,
      input.inputs.clusterStackOutputs ?? null,
      filesBucket,
      options.duplicateKeys ?? null,
    ]),
  );

function renderManifests(context: StackContext, values: Values) {
  const { tree, files, problems, contextKey, cache } = context;
  const data = rootData(context.cluster, asData(values), nilPointer(NODE_POOL));
  const rendered = renderComponents({
    tree,
    files,
    data,
    contextKey,
    readingKey: `${RENDERER_VERSION} ${files.duplicateKeys}`,
    cache,
  });
  for (const one of rendered) problems.add(...one.problems);
  const components = rendered.flatMap(({ component }) => component ?? []);
  const all = [...tree.files.keys()].some(
    (path) => path.startsWith(PATHS.manifests) && path !== PATHS.deletions,
  );
  const whole = context.files.notRendered().length === 0;
  if (all && whole && components.length === 0 && problems.errors.length === 0) {
    problems.add(
      problem(
        'empty-render',
        'no manifest renders to any object',
        { file: PATHS.manifests },
        'An empty state is never applied.',
      ),
    );
  }
  return { components, readable: rendered.flatMap(({ readable }) => readable ?? []) };
}

function renderDeletions(context: StackContext, values: Values): DesiredState['deletions'] {
  const none = { preApply: [], postApply: [] };
  if (!context.files.has(PATHS.deletions)) return none;
  const data = rootData(context.cluster, asData(values), nilPointer(NODE_POOL));
  const rendered = context.problems.attempt(() => context.files.render(PATHS.deletions, data));
  return rendered ? readDeletions(context.files, rendered, context.problems) : none;
}

/** By name, because among the items beside them are keys. */
function etcdItems({ items }: EffectiveConfig): Pick<DesiredState, 'etcdItems'> {
  const own = ETCD_ITEMS.flatMap((name) => (items[name] ? [[name, items[name]] as const] : []));
  return own.length === 0 ? {} : { etcdItems: Object.fromEntries(own) };
}
