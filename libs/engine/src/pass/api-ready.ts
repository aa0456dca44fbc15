import { formatDuration, minutes, seconds, toFailure } from '#kernel';
import { problemType } from '#fleet';
import type { Pass } from './pass.js';

const AWAY_SINCE = 'api/away-since';
/** A cluster that has worked before is told of soon; one that is being created needs its time to boot. */
const TELL_AFTER = seconds(30);
const TELL_AFTER_CREATION = minutes(10);

const DENIED_SINCE = 'api/denied-since';
/** An API server that has just started refuses everybody until it has read its roles and accounts. */
const DENIED_WHILE_STARTING = seconds(30);

const answers = new WeakMap<Pass, Promise<boolean>>();

/** Whether the API server answers; asked once per pass, because one that hangs costs the whole time limit each time. */
export function apiReady(pass: Pass): Promise<boolean> {
  const known = answers.get(pass);
  if (known) return known;
  const answer = ask(pass);
  answers.set(pass, answer);
  return answer;
}

async function ask(pass: Pass): Promise<boolean> {
  try {
    const ready = await pass.kubernetes.ready();
    pass.memory.delete(DENIED_SINCE);
    if (ready) pass.memory.delete(AWAY_SINCE);
    else noteAway(pass);
    return ready;
  } catch (thrown) {
    if (toFailure(thrown).class !== 'denied' || !mayBeStarting(pass)) throw thrown;
    return false;
  }
}

/** Of one that was away or has let us in before: for a while it is taken to be on its way up. */
function mayBeStarting(pass: Pass): boolean {
  const known = pass.cluster.lifecycleStatus === 'ready' || pass.memory.number(AWAY_SINCE) !== undefined;
  if (!known) return false;
  const now = pass.ports.clock.now();
  const since = pass.memory.number(DENIED_SINCE) ?? now;
  pass.memory.set(DENIED_SINCE, since);
  return now - since < DENIED_WHILE_STARTING;
}

/** Waiting for an API server is no failure; waiting for long is something that people must know. */
function noteAway(pass: Pass): void {
  const now = pass.ports.clock.now();
  const since = pass.memory.number(AWAY_SINCE) ?? now;
  pass.memory.set(AWAY_SINCE, since);
  const limit = pass.cluster.lifecycleStatus === 'ready' ? TELL_AFTER : TELL_AFTER_CREATION;
  if (now - since < limit) return;
  pass.report.problems.push({
    type: problemType('api-unreachable'),
    title: 'api unreachable',
    detail: `the API server at ${pass.cluster.apiServerUrl} does not answer /readyz`,
    instance: `cluster/${pass.cluster.id}`,
    hint: `Nothing is done in the cluster until it answers (asked again all the time; told after ${formatDuration(limit)}). Check api_server_url, the load balancer and the control plane.`,
    severity: 'error',
  });
}
