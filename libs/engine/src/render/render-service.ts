import type { Failure } from '#kernel';
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
  renderDigest,
  type ExplainedItem,
  type RenderInput,
  type WantedInputs,
} from '#config';
import type { AwsPort } from '#ports';
import type { EnginePorts } from '../engine-ports.js';
import type { PassFrame } from '../pass/run-pass.js';
import { contentOf } from './content-digest.js';
import { inputsFor } from './lock-inputs.js';
import { createInlineRenderer } from './inline-renderer.js';
import type { Renderer, RenderResult } from './renderer.js';
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
      explain(): Promise<readonly ExplainedItem[]>;
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
  /** What a key that a YAML map has twice is; an error if absent. Part of what identifies a render. */
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** Where rendering is done; in the calling thread if absent. Whoever made it closes it. */
  readonly renderer?: Renderer;
}

const KEPT_RESULTS = 5_000;
/** About, of finished renders; what is asked for again is what a cluster under way needs pass after pass. */
const KEPT_BYTES = 24 * 1024 * 1024;
const KEPT_EXPLANATIONS = 500;

export function createRenderService(ports: EnginePorts, options: RenderServiceOptions = {}): RenderService {
  const { duplicateKeys, renderer = createInlineRenderer(options) } = options;
  const { rendered, explained } = remembering(renderer);
  const revisions = new RevisionReader(ports.channels);
  const treeOf = async (revision: Revision) => ports.git.readTree(revision.repository, revision.commit);
  return {
    contentFor: async (cluster, revisionId) => {
      const revision = await revisions.get(revisionId);
      return { revision, contentDigest: contentOf(await treeOf(revision), cluster.alias) };
    },
    lookups: async ({ cluster, standing }, revisionId) =>
      renderer.lookups(await treeOf(await revisions.get(revisionId)), cluster, standing.overrides),
    render: async (frame, update, aws) => {
      const revision = await revisions.get(update.revisionId ?? '');
      const input = await renderInput({ ports, renderer }, frame, update, aws, await treeOf(revision));
      const digest = renderDigest(input, { duplicateKeys });
      const result = await rendered(digest, input);
      if (!result.ok) return { kind: 'invalid', failure: invalidRevision(revision, result.error) };
      return {
        kind: 'valid',
        desired: result.value,
        inputs: input.inputs,
        revisionId: revision.id,
        contentDigest: contentOf(input.tree, frame.cluster.alias),
        renderDigest: digest,
        explain: () => explained(digest, input),
      };
    },
  };
}

/** What a renderer answered before, by digests. What is not valid is asked again: it may have been cut short. */
function remembering(renderer: Renderer) {
  const results = createRenderCache(KEPT_RESULTS, KEPT_BYTES);
  const explanations = createRenderCache(KEPT_EXPLANATIONS);
  return {
    rendered: async (digest: string, input: RenderInput): Promise<RenderResult> => {
      const known = results.get(digest) as RenderResult | undefined;
      if (known) return known;
      const made = await renderer.render(input);
      if (made.ok) results.set(digest, made, sizeOf(made.value));
      return made;
    },
    explained: async (digest: string, input: RenderInput): Promise<readonly ExplainedItem[]> => {
      const known = explanations.get(digest) as readonly ExplainedItem[] | undefined;
      if (known) return known;
      const made = await renderer.explain(input);
      explanations.set(digest, made);
      return made;
    },
  };
}

/** About what a state takes in memory, by its texts and the lines that its objects come from. */
function sizeOf({ components, nodePools, clusterStack, extraStacks }: DesiredState): number {
  const objects = components.reduce((sum, component) => sum + component.objects.length, 0);
  const stacks = [clusterStack, ...extraStacks, ...nodePools.map(({ stack }) => stack)];
  return OBJECT_BYTES * objects + stacks.reduce((sum, { body }) => sum + body.length, 0);
}
const OBJECT_BYTES = 4_000;

/** Everything that a render is made from; looks things up outside only where the lock lacks them. */
async function renderInput(
  { ports, renderer }: { readonly ports: EnginePorts; readonly renderer: Renderer },
  frame: PassFrame,
  update: Update,
  aws: AwsPort,
  tree: ConfigTree,
): Promise<RenderInput> {
  const { cluster, standing } = frame;
  const wanted = await renderer.lookups(tree, cluster, standing.overrides);
  const inputs = await inputsFor(frame, update, wanted, aws);
  const id = cluster.infrastructureAccount;
  const [account, accountClusters] = await Promise.all([
    ports.registry.getAccount(id),
    ports.registry.listClusters({ infrastructureAccount: id }),
  ]);
  return { tree, cluster, account, accountClusters, inputs, overrides: standing.overrides };
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
