import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { refKey, type Cluster, type DriftFinding } from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { ringCluster } from '../registry/ring-cluster.js';
import { findCluster } from './cluster-lookup.js';

const wishSchema = z.object({
  object: z
    .string({ error: 'name the object as drift list shows it, e.g. "apps/Deployment default/web"' })
    .min(1),
  path: z.string().optional(),
  reason: z.string({ error: 'say why' }).min(1, 'say why').max(1_000),
});

/** Differences between Git and clusters, as workers found them. Wishes are stored; a worker carries them out. */
@Controller('api/v1/clusters')
export class DriftController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  /** What the newest update changes, field by field, and what differs beside it. */
  @Get(':cluster/diff')
  async diff(@Param('cluster') name: string) {
    const cluster = await findCluster(this.api, name);
    const [update] = await this.api.updates.listUpdates(cluster.id, 1);
    const running = update?.state === 'running';
    const objects = (running ? (update.plan?.objects ?? []) : []).filter(({ action }) => action !== 'none');
    return {
      cluster: cluster.id,
      commit: update?.commit,
      state: update?.state,
      objects: objects.map(({ ref, component, action, diff }) => ({
        object: refKey(ref),
        component,
        action,
        fields: diff ?? [],
      })),
      drift: await this.drift(cluster),
    };
  }

  @Get(':cluster/drift')
  async list(@Param('cluster') name: string) {
    return { items: await this.drift(await findCluster(this.api, name)) };
  }

  /** Leaves the difference as it is, until Git says something else of the object. */
  @Post(':cluster/drift/accept')
  @HttpCode(202)
  accept(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    return this.wish('accept-drift', name, body, request);
  }

  /** Writes what Git says, at the worker's next look, which is now. */
  @Post(':cluster/drift/correct')
  @HttpCode(202)
  correct(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    return this.wish('correct-drift', name, body, request);
  }

  private async drift(cluster: Cluster) {
    const findings = await this.api.updates.driftFindings(cluster.id);
    return findings.filter(({ state }) => state !== 'corrected').map(encodeFinding);
  }

  /** Refuses a wish about what does not differ, and one that the next update would break. */
  private async checkWish(
    kind: 'accept-drift' | 'correct-drift',
    cluster: Cluster,
    object: string,
    path: string | undefined,
  ): Promise<void> {
    const findings = await this.api.updates.driftFindings(cluster.id);
    const meant = findings.filter(
      (finding) =>
        finding.state !== 'corrected' &&
        refKey(finding.ref) === object &&
        (path ?? finding.path) === finding.path,
    );
    if (meant.length === 0) {
      throw new ApiError(
        404,
        'no-such-drift',
        `${object}${path === undefined ? '' : ` ${path}`} does not differ in ${cluster.alias}`,
        'fairway drift list shows what does.',
      );
    }
    if (kind === 'accept-drift' && meant.some((finding) => finding.path === '')) {
      throw new ApiError(
        409,
        'missing-object',
        `${object} is missing in ${cluster.alias}; that cannot be accepted, because the next update would create it again`,
        'Take it out of Git, or let fairway drift correct create it now.',
      );
    }
  }

  private async wish(
    kind: 'accept-drift' | 'correct-drift',
    name: string,
    body: unknown,
    request: AuthenticatedRequest,
  ) {
    const cluster = await findCluster(this.api, name);
    const { object, path, reason } = parseBody(wishSchema, body);
    await this.checkWish(kind, cluster, object, path);
    const id = this.api.ids.next();
    await this.api.updates.requestManifests({
      id,
      clusterId: cluster.id,
      kind,
      refKey: object,
      ...(path !== undefined && { path }),
      actor: actorOf(request),
      reason,
      requestedAt: this.api.clock.now(),
    });
    await ringCluster(this.api, cluster);
    return { id, cluster: cluster.id, object, path };
  }
}

const encodeFinding = (finding: DriftFinding) => ({
  object: refKey(finding.ref),
  component: finding.component,
  path: finding.path,
  change: finding.change,
  live: finding.before,
  git: finding.after,
  manager: finding.manager,
  managed_since: finding.managedSince === undefined ? undefined : toIso(finding.managedSince),
  state: finding.state,
  first_seen: toIso(finding.firstSeen),
  last_seen: toIso(finding.lastSeen),
});
