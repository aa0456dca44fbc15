import { seconds, type Duration, type Failure } from '#kernel';
import type {
  Cluster,
  ConfigProblem,
  ConfigTree,
  DesiredState,
  LockedInputs,
  Revision,
  Update,
} from '#fleet';
import {
  createRenderCache,
  explain,
  lookupsOf,
  renderCluster,
  renderDigest,
  type ExplainedItem,
  type RenderCache,
  type RenderInput,
  type WantedInputs,
} from '#config';
import type { AwsPort } from '#ports';
import type { EnginePorts } from '../engine-ports.js';
import type { PassFrame } from '../pass/run-pass.js';
import { contentOf } from './content-digest.js';
import { inputsFor } from './lock-inputs.js';
import { renderDeadline } from './render-deadline.js';
import { RevisionReader } from './revision-reader.js';

export type Rendered =
  | {
      readonly kind: 'valid';
      readonly desired: DesiredState;
      readonly inputs: LockedInputs;
      readonly revisionId: string;
      readonly contentDigest: string;
      /** Identity of everything that the render was made from. */
      readonly renderDigest: string;
      /** The effective config items with provenance, masked. */
      explain(): readonly ExplainedItem[];
    }
  | { readonly kind: 'invalid'; readonly failure: Failure };

export interface RenderService {
  /** Desired state of the pass's cluster for the update's revision. Source errors reject; bad content is a value. */
  render(frame: PassFrame, update: Update, aws: AwsPort): Promise<Rendered>;
  /** What a render of the revision would ask AWS for. */
  lookups(frame: PassFrame, revisionId: string): Promise<WantedInputs>;
  /** A revision, and the identity of what it holds for the cluster: no rendering, nothing outside but the Git mirror. */
  contentFor(
    cluster: Cluster,
    revisionId: string,
  ): Promise<{ readonly revision: Revision; readonly contentDigest: string }>;
}

export interface RenderServiceOptions {
  /** What a key that a YAML map has twice is; an error if absent. */
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** Longest time that one render may take. It occupies the process. */
  readonly timeLimit?: Duration;
}

const TIME_LIMIT = seconds(10);
const KEPT_EXPLANATIONS = 500;

export function createRenderService(ports: EnginePorts, options: RenderServiceOptions = {}): RenderService {
  const cache = createRenderCache();
  const explanations = createRenderCache(KEPT_EXPLANATIONS);
  const revisions = new RevisionReader(ports.channels);
  const { duplicateKeys, timeLimit = TIME_LIMIT } = options;
  const treeOf = async (revision: Revision) => ports.git.readTree(revision.repository, revision.commit);
  return {
    contentFor: async (cluster, revisionId) => {
      const revision = await revisions.get(revisionId);
      return { revision, contentDigest: contentOf(await treeOf(revision), cluster.alias) };
    },
    lookups: async ({ cluster, standing }, revisionId) => {
      const tree = await treeOf(await revisions.get(revisionId));
      return lookupsOf(tree, cluster, standing.overrides, renderDeadline(timeLimit).checkpoint);
    },
    render: async (frame, update, aws) => {
      const revision = await revisions.get(update.revisionId ?? '');
      const input = await renderInput(ports, frame, update, aws, {
        tree: await treeOf(revision),
        checkpoint: renderDeadline(timeLimit).checkpoint,
      });
      const deadline = renderDeadline(timeLimit);
      const renderOptions = { duplicateKeys, checkpoint: deadline.checkpoint };
      const rendered = renderCluster(input, deadline.guarded(cache), renderOptions);
      if (!rendered.ok) return { kind: 'invalid', failure: invalidRevision(revision, rendered.error) };
      const digest = renderDigest(input, renderOptions);
      return {
        kind: 'valid',
        desired: rendered.value,
        inputs: input.inputs,
        revisionId: revision.id,
        contentDigest: contentOf(input.tree, frame.cluster.alias),
        renderDigest: digest,
        explain: () => remembered(explanations, digest, () => explain(input, undefined, { duplicateKeys })),
      };
    },
  };
}

/** Everything that a render is made from; looks things up outside only where the lock lacks them. */
async function renderInput(
  ports: EnginePorts,
  frame: PassFrame,
  update: Update,
  aws: AwsPort,
  { tree, checkpoint }: { readonly tree: ConfigTree; readonly checkpoint: () => void },
): Promise<RenderInput> {
  const { cluster, standing } = frame;
  const wanted = lookupsOf(tree, cluster, standing.overrides, checkpoint);
  const inputs = await inputsFor(frame, update, wanted, aws);
  const id = cluster.infrastructureAccount;
  const [account, accountClusters] = await Promise.all([
    ports.registry.getAccount(id),
    ports.registry.listClusters({ infrastructureAccount: id }),
  ]);
  return { tree, cluster, account, accountClusters, inputs, overrides: standing.overrides };
}

function remembered(
  cache: RenderCache,
  key: string,
  make: () => readonly ExplainedItem[],
): readonly ExplainedItem[] {
  const known = cache.get(key) as readonly ExplainedItem[] | undefined;
  if (known) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

function invalidRevision(revision: Revision, problems: readonly ConfigProblem[]): Failure {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const [first] = errors;
  return {
    class: 'invalid',
    code: first?.code ?? 'invalid-revision',
    message:
      errors.length > 1
        ? `${first?.message} (and ${errors.length - 1} more problems)`
        : (first?.message ?? 'invalid'),
    hint: first?.hint ?? `Mend it and merge; nothing was written for ${revision.commit.slice(0, 12)}.`,
    ...(first && { place: placeOf(first) }),
    details: errors.slice(1).map((problem) => ({
      message: problem.message,
      place: placeOf(problem),
      ...(problem.hint !== undefined && { hint: problem.hint }),
    })),
  };
}

const placeOf = (problem: ConfigProblem) => ({
  file: problem.file,
  ...(problem.line !== undefined && { line: problem.line }),
  ...(problem.column !== undefined && { column: problem.column }),
  ...(problem.field !== undefined && { field: problem.field }),
});
