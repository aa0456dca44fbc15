import type { StoredEvent } from '#fleet';
import type { CommitStatusRoute } from './notify-route.js';

type State = 'pending' | 'success' | 'failure';

/** One line beside a commit: `fairway/<gate>/<channel>`. */
export interface CommitStatus {
  readonly commit: string;
  readonly context: string;
  readonly state: State;
  readonly description: string;
}

/** What an event says about a gate of its commit. Events that are not here say nothing. */
const SAYS: Readonly<Record<string, readonly [gate: string, state: State]>> = {
  'revision.seen': ['rollout', 'pending'],
  'wave.started': ['rollout', 'pending'],
  'revision.converged': ['rollout', 'success'],
  'conformance.started': ['conformance', 'pending'],
  'conformance.inconclusive': ['conformance', 'pending'],
  'conformance.failed': ['conformance', 'failure'],
  'revision.verified': ['conformance', 'success'],
  'revision.failed': ['conformance', 'failure'],
  'soak.reset': ['soak', 'pending'],
  'revision.eligible': ['soak', 'success'],
  'revision.held': ['gates', 'failure'],
  'glass.broken': ['gates', 'failure'],
  'approval.awaited': ['approvals', 'pending'],
  'approval.approved': ['approvals', 'success'],
  'approval.rejected': ['approvals', 'failure'],
  'promotion.done': ['promotion', 'success'],
  'promotion.refused': ['promotion', 'failure'],
};

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

export function commitStatusOf(event: StoredEvent): CommitStatus | undefined {
  const says = SAYS[event.type];
  const commit = event.data['commit'];
  if (says === undefined || event.channel === undefined || typeof commit !== 'string' || !COMMIT.test(commit))
    return undefined;
  const [gate, state] = says;
  return { commit, context: `fairway/${gate}/${event.channel}`, state, description: event.message };
}

export interface StatusRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Source: GitHub REST, "Create a commit status" (description up to 140); GitLab, "Set commit pipeline status" (up to 255). */
export function statusRequest(route: CommitStatusRoute, status: CommitStatus): StatusRequest {
  const base = route.url.replace(/\/+$/, '');
  const target = route.targetUrl === undefined ? {} : { target_url: route.targetUrl };
  if (route.kind === 'github-status') {
    const [owner = '', repository = ''] = route.repository.split('/');
    return {
      url: `${base}/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repository)}/statuses/${status.commit}`,
      headers: {
        authorization: `Bearer ${route.token}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
      },
      body: JSON.stringify({
        state: status.state,
        context: status.context,
        description: cut(status.description, 140),
        ...target,
      }),
    };
  }
  return {
    url: `${base}/projects/${encodeURIComponent(route.repository)}/statuses/${status.commit}`,
    headers: { 'private-token': route.token },
    body: JSON.stringify({
      state: status.state === 'failure' ? 'failed' : status.state,
      name: status.context,
      description: cut(status.description, 255),
      ...target,
    }),
  };
}

const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
