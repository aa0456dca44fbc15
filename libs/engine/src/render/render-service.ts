import type { Failure } from '#kernel';
import { digestOfValue } from '#kernel';
import type {
  Cluster,
  ConfigProblem,
  ConfigTree,
  DesiredState,
  LockedInputs,
  Revision,
  Update,
} from '#fleet';
import { createRenderCache, lookupsOf, renderCluster } from '#config';
import type { AwsPort } from '#ports';
import type { EnginePorts } from '../engine-ports.js';
import type { PassFrame } from '../pass/run-pass.js';
import { contentOf } from './content-digest.js';
import { RevisionReader } from './revision-reader.js';

export type Rendered =
  | {
      readonly kind: 'valid';
      readonly desired: DesiredState;
      readonly inputs: LockedInputs;
      readonly revisionId: string;
      readonly contentDigest: string;
    }
  | { readonly kind: 'invalid'; readonly failure: Failure };

export interface RenderService {
  /** Desired state of the pass's cluster for the update's revision. Source errors reject; bad content is a value. */
  render(frame: PassFrame, update: Update, aws: AwsPort): Promise<Rendered>;
  /** A revision, and the identity of what it holds for the cluster: no rendering, nothing outside but the Git mirror. */
  contentFor(
    cluster: Cluster,
    revisionId: string,
  ): Promise<{ readonly revision: Revision; readonly contentDigest: string }>;
}

const LOCKED_FOR = 'inputs/for';

export function createRenderService(ports: EnginePorts): RenderService {
  const cache = createRenderCache();
  const revisions = new RevisionReader(ports.channels);
  return {
    contentFor: async (cluster, revisionId) => {
      const revision = await revisions.get(revisionId);
      const tree = await ports.git.readTree(revision.repository, revision.commit);
      return { revision, contentDigest: contentOf(tree, cluster.alias) };
    },
    render: async (frame, update, aws) => {
      const revision = await revisions.get(update.revisionId ?? '');
      const tree = await ports.git.readTree(revision.repository, revision.commit);
      const inputs = await lockInputs(frame, update, tree, aws);
      const id = frame.cluster.infrastructureAccount;
      const [account, accountClusters] = await Promise.all([
        ports.registry.getAccount(id),
        ports.registry.listClusters({ infrastructureAccount: id }),
      ]);
      const rendered = renderCluster(
        { tree, cluster: frame.cluster, account, accountClusters, inputs },
        cache,
      );
      if (!rendered.ok) return { kind: 'invalid', failure: invalidRevision(revision, rendered.error) };
      return {
        kind: 'valid',
        desired: rendered.value,
        inputs,
        revisionId: revision.id,
        contentDigest: contentOf(tree, frame.cluster.alias),
      };
    },
  };
}

/**
 * The lock of this update: looked up when the update begins, and again while outputs of the cluster stack are missing.
 * In between a render sees the same inputs, however AWS moves.
 */
async function lockInputs(
  frame: PassFrame,
  update: Update,
  tree: ConfigTree,
  aws: AwsPort,
): Promise<LockedInputs> {
  const lookups = lookupsOf(tree, frame.cluster);
  const stored = frame.runtime.inputs;
  const key = digestOfValue({
    update: update.id,
    lookups: { ...lookups, cipherTexts: lookups.cipherTexts.length },
  });
  const complete = stored?.clusterStackOutputs !== undefined && lookups.cipherTexts.length === 0;
  if (stored && complete && frame.memory.text(LOCKED_FOR) === key) return stored;
  const locked = await aws.lookupInputs({
    clusterId: frame.cluster.id,
    stackName: clusterStackName(frame.cluster),
    images: lookups.images,
    instanceTypes: lookups.instanceTypes,
    cipherTexts: lookups.cipherTexts,
    ...(lookups.vpcId !== undefined && { vpcId: lookups.vpcId }),
  });
  if (locked.clusterStackOutputs !== undefined) frame.memory.set(LOCKED_FOR, key);
  return locked;
}

/** As the render names it. */
const clusterStackName = (cluster: Cluster): string => cluster.localId;

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
