import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { BACKUP_PROVIDERS, type BackupRecord, type BackupRequest, type Cluster } from '#fleet';
import { backupPolicyOf } from '#engine';
import { judgeFreshness, restorePlan, type RestorePlan } from '#upgrade';
import { API, type ApiRuntime } from '../api-runtime.js';
import { NeedsRole } from '../auth/needs.decorator.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError, notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { encodeBackup } from './backup-answers.js';
import { findCluster } from './cluster-lookup.js';

const reasonSchema = z.string({ error: 'say why' }).min(1, 'say why').max(1_000);
const createSchema = z.strictObject({
  providers: z.array(z.enum(BACKUP_PROVIDERS)).max(BACKUP_PROVIDERS.length).default([]),
  reason: reasonSchema,
});
const verifySchema = z.strictObject({
  backup: z.string().max(100).optional(),
  drill: z.boolean().default(false),
  reason: reasonSchema,
});
const approveSchema = z.strictObject({ reason: reasonSchema });
const listSchema = z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) });

/** Backups of a cluster: what there is, whether it opens a gate, and asking for more. Workers do the work. */
@Controller('api/v1/clusters/:cluster/backups')
export class BackupsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Param('cluster') name: string, @Query() query: unknown) {
    const cluster = await findCluster(this.api, name);
    const { limit } = parseBody(listSchema, query);
    const [backups, standings, reading] = await Promise.all([
      this.api.backups.backups(cluster.id, limit),
      this.api.backups.backupStandings([cluster.id]),
      backupPolicyOf(this.api, cluster),
    ]);
    const standing = standings.get(cluster.id);
    const policy = reading.kind === 'policy' ? reading.policy : undefined;
    const verdict = policy && judgeFreshness({ standing, now: this.api.clock.now(), maxAge: policy.maxAge });
    return {
      cluster: cluster.id,
      alias: cluster.alias,
      providers: policy?.providers ?? [],
      problem:
        reading.kind === 'policy'
          ? undefined
          : reading.kind === 'none'
            ? reading.reason
            : reading.problems.join('; '),
      gate: verdict && {
        open: verdict.open,
        reasons: verdict.reasons,
        shuts_at: verdict.shutsAt === undefined ? undefined : toIso(verdict.shutsAt),
      },
      drilled_at: standing?.drilledAt === undefined ? undefined : toIso(standing.drilledAt),
      backups: backups.map(encodeBackup),
    };
  }

  @Post()
  @HttpCode(202)
  async create(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { providers, reason } = parseBody(createSchema, body);
    await this.configured(cluster);
    return this.ask(cluster, { kind: 'create', providers }, reason, request);
  }

  /** Reads a backup back, the newest etcd snapshot where none is named; with `drill` it is restored into a scratch etcd. */
  @Post('verify')
  @HttpCode(202)
  async verify(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const cluster = await findCluster(this.api, name);
    const { backup, drill, reason } = parseBody(verifySchema, body);
    await this.configured(cluster);
    if (backup !== undefined) await this.backupOf(cluster, backup);
    const wish = {
      kind: drill ? 'drill' : 'verify',
      providers: [],
      ...(backup !== undefined && { backupId: backup }),
    } as const;
    return this.ask(cluster, wish, reason, request);
  }

  @Get('requests/:id')
  async request(@Param('cluster') name: string, @Param('id') id: string) {
    const cluster = await findCluster(this.api, name);
    const found = await this.api.backups.getBackupRequest(id);
    if (found?.clusterId !== cluster.id) throw notFound(`backup request ${id} of ${cluster.alias}`);
    return {
      id,
      kind: found.kind,
      actor: found.actor,
      reason: found.reason,
      requested_at: toIso(found.requestedAt),
      settled_at: found.settledAt === undefined ? undefined : toIso(found.settledAt),
      result: found.result,
    };
  }

  /** From one backup, or from the newest good one (etcd's first). */
  @Get('restore-plan')
  async restorePlan(
    @Param('cluster') name: string,
    @Query('backup') id?: string,
  ): Promise<RestorePlan & { readonly backup: ReturnType<typeof encodeBackup> }> {
    const cluster = await findCluster(this.api, name);
    const backup = id === undefined ? await this.best(cluster) : await this.backupOf(cluster, id);
    return { backup: encodeBackup(backup), ...restorePlan({ cluster, backup, now: this.api.clock.now() }) };
  }

  /** Lets a partial backup count. Audited. */
  @Post(':id/approve')
  @NeedsRole('approver')
  @HttpCode(200)
  async approve(
    @Param('cluster') name: string,
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: AuthenticatedRequest,
  ) {
    const cluster = await findCluster(this.api, name);
    const { reason } = parseBody(approveSchema, body);
    const backup = await this.backupOf(cluster, id);
    const exception = { by: actorOf(request), reason, at: this.api.clock.now() };
    if (!(await this.api.backups.approveBackup(id, exception))) {
      throw new ApiError(
        409,
        'backup-not-partial',
        `backup ${id} is ${backup.state}${backup.exception ? ' and has an exception already' : ''}`,
        'Only a partial backup can get an exception, and only once.',
      );
    }
    await this.api.updates.markDue([cluster.id], exception.at);
    return encodeBackup({ ...backup, exception });
  }

  private async ask(
    cluster: Cluster,
    wish: Pick<BackupRequest, 'kind' | 'providers' | 'backupId'>,
    reason: string,
    request: AuthenticatedRequest,
  ) {
    const id = this.api.ids.next();
    await this.api.backups.requestBackup({
      id,
      clusterId: cluster.id,
      trigger: 'request',
      actor: actorOf(request),
      reason,
      requestedAt: this.api.clock.now(),
      ...wish,
    });
    await this.api.doorbell.ring(`backup/${cluster.id}`).catch((error: unknown) => {
      this.api.log.warn('doorbell is out of order; the sweep finds what is due', { reason: String(error) });
    });
    return { request: id, cluster: cluster.id };
  }

  private async configured(cluster: Cluster): Promise<void> {
    const reading = await backupPolicyOf(this.api, cluster);
    if (reading.kind === 'policy') return;
    const why = reading.kind === 'none' ? reading.reason : reading.problems.join('; ');
    throw new ApiError(
      409,
      'backup-not-configured',
      `${cluster.alias}: ${why}`,
      'See docs/operations.md, "Backups".',
    );
  }

  private async best(cluster: Cluster): Promise<BackupRecord> {
    for (const provider of BACKUP_PROVIDERS) {
      const [backup] = await this.api.backups.backups(cluster.id, 1, { state: 'good', provider });
      if (backup) return backup;
    }
    throw notFound(
      `a good backup of ${cluster.alias}`,
      'fairway backup list says what there is; fairway backup create makes one.',
    );
  }

  private async backupOf(cluster: Cluster, id: string): Promise<BackupRecord> {
    const backup = await this.api.backups.getBackup(id);
    if (backup?.clusterId !== cluster.id) throw notFound(`backup ${id} of ${cluster.alias}`);
    return backup;
  }
}
