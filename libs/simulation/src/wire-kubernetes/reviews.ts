import { isJsonObject, stringAt, valueAt } from '../kubernetes/api/object.js';
import { sendJson, type Exchange } from './exchange.js';
import { mediaType, objectBody, parseBody, readBody } from './request.js';
import { REVIEW_GROUPS } from './route.js';

/** Access reviews: whoever has a token may do all that no fault denies. */
export async function serveReview(
  exchange: Exchange,
  route: { readonly group: string; readonly resource: string },
): Promise<void> {
  const review = objectBody(parseBody(await readBody(exchange.request), mediaType(exchange.request)) ?? {});
  const kind = REVIEW_GROUPS[route.group]?.[route.resource];
  sendJson(exchange, 201, {
    ...review,
    kind,
    apiVersion: `${route.group}/v1`,
    metadata: isJsonObject(review['metadata']) ? review['metadata'] : {},
    status: statusOf(exchange, route.resource, review),
  });
}

function statusOf(exchange: Exchange, resource: string, review: unknown): unknown {
  const userInfo = { username: exchange.user, groups: ['system:masters', 'system:authenticated'] };
  switch (resource) {
    case 'selfsubjectrulesreviews':
      return {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      };
    case 'selfsubjectreviews':
      return { userInfo };
    case 'tokenreviews':
      return { authenticated: false, error: 'token lookup failed' };
    default: {
      const asked = valueAt(review, 'spec', 'resourceAttributes');
      const group = stringAt(asked, 'group');
      const name = stringAt(asked, 'resource');
      const denied = exchange.cluster.faults.isDenied({
        verb: stringAt(asked, 'verb') ?? '',
        resource: group ? `${name}.${group}` : (name ?? ''),
        user: exchange.user,
      });
      return denied ? { allowed: false, reason: 'denied by policy' } : { allowed: true };
    }
  }
}
