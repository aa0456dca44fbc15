import { done, failed, hours, milliseconds, waiting, type Outcome } from '#kernel';
import { isMasterNode } from '#fleet';
import { checkSkew, type SkewViolation } from '#upgrade';
import { componentsAmong } from '../doctor/system-pods.js';
import { removedApisInUse } from '../doctor/upgrade-check.js';
import { buildPlan } from '../plan/build-plan.js';
import { apiReady } from '../pass/api-ready.js';
import type { Pass } from '../pass/pass.js';
import { tell } from '../pass/pass.js';
import { heldOutcome } from './held.js';
import { rememberShortage, stillShort } from './preflight-capacity.js';
import type { StepRunner } from './step-runner.js';

const PLANNED_FOR = 'plan/for';

/** Nothing is written before this has passed: right account, legal versions, and a complete plan that people can read. */
export const preflightStep: StepRunner = {
  kind: 'preflight',
  title: 'Check the account, versions and plan',
  timeLimit: hours(1),
  errorThreshold: 3,
  irreversible: false,
  run: async (pass): Promise<Outcome> => {
    const wrong =
      (await wrongAccount(pass)) ?? held(pass) ?? (await testing(pass)) ?? (await illegalSkew(pass));
    if (wrong) return wrong;
    // One plan per update and rendered content; the pass in which it is made writes nothing else before it is stored.
    const planned = `${pass.update.id}|${pass.desired.digest}`;
    if (pass.memory.text(PLANNED_FOR) === planned) return done('planned');
    const inUse = begun(pass) ? undefined : await removedApisInUse(pass);
    if (inUse) return inUse;
    const short = await stillShort(pass, planned);
    if (short) return short;
    const { plan, demands, findings } = await buildPlan(pass);
    pass.report.plan = plan;
    const shortage = begun(pass) ? undefined : rememberShortage(pass, planned, demands, findings);
    if (!shortage) pass.memory.set(PLANNED_FOR, planned);
    tell(pass, {
      type: 'update.planned',
      message: `plan: ${plan.stacks.filter((stack) => stack.action !== 'none').length} stacks, ${
        plan.objects.filter((object) => object.action !== 'none').length
      } objects, ${plan.nodes.reduce((sum, roll) => sum + roll.outdated.length, 0)} nodes to replace`,
      data: { plan: plan.digest, blockers: plan.blockers },
    });
    return shortage ?? waiting('the plan to be stored', milliseconds(0));
  },
};

async function wrongAccount(pass: Pass): Promise<Outcome | undefined> {
  const caller = await pass.aws.callerAccount();
  if (caller === pass.account.externalId) return undefined;
  return failed({
    class: 'denied',
    code: 'wrong-account',
    message: `credentials are for account ${caller}, the cluster lives in ${pass.account.externalId}`,
    hint: 'Check the role that Fairway assumes for this account.',
  });
}

/** Holds stop an update before it begins. In one that has begun, each step asks before it starts something new. */
function held(pass: Pass): Outcome | undefined {
  return begun(pass) ? undefined : heldOutcome(pass);
}

/** A plan of this update was stored: what it does may have begun. */
const begun = (pass: Pass): boolean => pass.memory.text(PLANNED_FOR)?.startsWith(pass.update.id) === true;

/** A conformance run and an update of one cluster exclude each other. */
async function testing(pass: Pass): Promise<Outcome | undefined> {
  const unfinished = await pass.ports.channels.unfinishedRuns(pass.cluster.id);
  const run = unfinished.find((candidate) => candidate.state === 'running');
  if (!run) return undefined;
  return {
    kind: 'blocked',
    by: `conformance run ${run.suite} of ${run.commit.slice(0, 12)}`,
    unblock: 'The update goes on when the run has ended.',
    recheckIn: pass.settings.pollInterval,
  };
}

async function illegalSkew(pass: Pass): Promise<Outcome | undefined> {
  const target = pass.desired.kubernetesVersion;
  if (target === undefined || !(await apiReady(pass))) return undefined;
  const [server, nodes] = await Promise.all([pass.kubernetes.serverVersion(), pass.kubernetes.listNodes()]);
  const question = {
    kubelets: nodes.map((node) => ({
      name: node.name,
      version: node.kubeletVersion,
      master: isMasterNode(node),
    })),
    target,
  };
  const stops = (apiServers: readonly string[]): readonly SkewViolation[] =>
    checkSkew({ ...question, apiServers }).filter((violation) => !violation.waits);
  // In the middle of an update one server's word is not enough: the new masters' kubelets are ahead of an old one.
  const first = stops([server]);
  const violations = first.length === 0 ? first : stops(await apiServers(pass, server));
  if (violations.length === 0) return undefined;
  return failed({
    class: 'invalid',
    code: 'version-skew',
    message: violations.map((violation) => violation.message).join('; '),
    hint: violations[0]?.remedy ?? 'Choose a version that the skew policy allows.',
  });
}

/** Versions of all API servers, by their pods; of the one that answers where no pods are seen. */
async function apiServers(pass: Pass, answered: string): Promise<readonly string[]> {
  const pods = await pass.kubernetes.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'kube-system' });
  const seen = componentsAmong(pods).filter(({ component }) => component === 'kube-apiserver');
  return [...new Set([answered, ...seen.map(({ version }) => version)])];
}
