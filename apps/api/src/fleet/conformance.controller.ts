import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { seconds, toIso } from '#kernel';
import type { Cluster, ConformanceRun, Revision } from '#fleet';
import { StoredPolicies } from '#engine';
import { API, type ApiRuntime } from '../api-runtime.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError, badRequest, notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { reasonSchema } from './gates.controller.js';
import { flakes } from './test-history.js';
import { findCluster } from './cluster-lookup.js';

const listSchema = z.object({
  channel: z.string().optional(),
  cluster: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
const runSchema = z.strictObject({
  cluster: z.string(),
  suite: z.string().min(1).max(63),
  reason: reasonSchema,
});
const logsSchema = z.object({ after: z.coerce.number().int().min(0).default(0) });
const HISTORY = 500;

/** Conformance runs: what was proven where, and which tests cannot be trusted. */
@Controller('api/v1/conformance')
export class ConformanceController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const { limit, channel, cluster } = parseBody(listSchema, query);
    const filter = {
      ...(channel !== undefined && { channel }),
      ...(cluster !== undefined && { clusterId: (await findCluster(this.api, cluster)).id }),
    };
    return { items: (await this.api.channels.runsFor(filter, limit)).map(encodeRun) };
  }

  /** Per test: how often it failed, and whether it also passed on the very same content. */
  @Get('tests')
  async tests(@Query() query: unknown) {
    const { channel } = parseBody(listSchema, query);
    const runs = await this.api.channels.runsFor(channel === undefined ? {} : { channel }, HISTORY);
    return { items: flakes(runs).map((one) => ({ ...one, last_failed_at: toIso(one.last_failed_at) })) };
  }

  @Get(':run')
  async get(@Param('run') id: string) {
    return encodeRun(await this.run(id));
  }

  /** What the tests printed, from an offset on; secrets are masked. The end of it is kept when the Job is gone. */
  @Get(':run/logs')
  async logs(@Param('run') id: string, @Query() query: unknown) {
    const { after } = parseBody(logsSchema, query);
    const run = await this.run(id);
    const log = await this.api.channels.conformanceLog(id);
    const [text, dropped] = [log?.text ?? '', log?.dropped ?? 0];
    const from = Math.min(Math.max(after, dropped), dropped + text.length);
    return {
      run: id,
      state: run.state,
      message: run.message,
      /** Offset of the text's first character. More than was asked for: what stood before is not kept. */
      from,
      next: dropped + text.length,
      text: text.slice(from - dropped),
      complete: run.state === 'finished',
      updated_at: log === undefined ? undefined : toIso(log.updatedAt),
    };
  }

  /** Asks for a run on what the cluster has now; the newest verdict on a content is the one that counts. */
  @Post()
  @HttpCode(202)
  async start(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { cluster: name, suite, reason } = parseBody(runSchema, body);
    const cluster = await findCluster(this.api, name);
    await this.requireSuite(cluster.channel, suite);
    const runtime = await this.api.updates.runtime(cluster.id);
    const revision =
      runtime?.admittedRevisionId === undefined
        ? undefined
        : await this.api.channels.getRevision(runtime.admittedRevisionId);
    const desiredDigest = runtime?.status?.desiredDigest;
    if (!revision || desiredDigest === undefined)
      throw new ApiError(409, 'cluster-not-settled', `cluster ${cluster.alias} has no content yet`);
    const before = await this.api.channels.runsFor(
      { clusterId: cluster.id, treeDigest: revision.treeDigest },
      HISTORY,
    );
    if (before.some((one) => one.suite === suite && one.state !== 'finished'))
      throw new ApiError(409, 'run-under-way', `${suite} is under way on ${cluster.alias}`);
    const run = this.newRun(cluster, suite, revision, desiredDigest, before);
    const at = run.createdAt;
    await this.save(run);
    const actor = actorOf(request);
    const subject = `cluster/${cluster.id}`;
    await this.api.audit.append({
      at,
      actor,
      action: 'conformance.requested',
      subject,
      reason,
      data: { ...run },
    });
    await this.api.doorbell.ring(`channel/${cluster.channel}`).catch(() => undefined);
    return encodeRun(run);
  }

  /** A run of a suite that nobody has described would prove nothing. */
  private async requireSuite(channel: string, suite: string): Promise<void> {
    const behind = (await this.api.channels.listChannels()).filter((one) => one.from === channel);
    const policies = new StoredPolicies(this.api.decisions);
    const known = new Set<string>();
    for (const target of behind)
      for (const name of Object.keys((await policies.policyOf(target)).suites)) known.add(name);
    if (known.has(suite)) return;
    const names = [...known].sort().join(', ');
    const message =
      known.size === 0
        ? `no channel comes after ${channel}: nobody says which suites there are`
        : `unknown suite "${suite}"; suites are ${names}`;
    throw badRequest([{ field: 'suite', message }]);
  }

  private async run(id: string): Promise<ConformanceRun> {
    const run = await this.api.channels.getRun(id);
    if (!run) throw notFound(`conformance run ${id}`);
    return run;
  }

  private newRun(
    cluster: Cluster,
    suite: string,
    revision: Revision,
    desiredDigest: string,
    before: readonly ConformanceRun[],
  ): ConformanceRun {
    const attempts = before.filter((one) => one.suite === suite).map((one) => one.attempt);
    return {
      id: this.api.ids.next(),
      channel: cluster.channel,
      clusterId: cluster.id,
      suite,
      revisionId: revision.id,
      commit: revision.commit,
      treeDigest: revision.treeDigest,
      desiredDigest,
      attempt: 1 + Math.max(0, ...attempts),
      state: 'pending',
      failedTests: [],
      createdAt: this.api.clock.now(),
    };
  }

  private async save(run: ConformanceRun): Promise<void> {
    const lease = await this.api.leases.acquire(`schedule/conformance-request/${run.id}`, seconds(10));
    if (!lease) throw new ApiError(503, 'busy', 'the run could not be recorded', 'Try again in a second.');
    await this.api.channels.saveRun(lease, run, []);
    await this.api.leases.release(lease);
  }
}

export const encodeRun = (run: ConformanceRun) => ({
  id: run.id,
  channel: run.channel,
  cluster: run.clusterId,
  suite: run.suite,
  commit: run.commit,
  tree_digest: run.treeDigest,
  attempt: run.attempt,
  state: run.state,
  verdict: run.verdict,
  reason: run.reason,
  message: run.message,
  executed: run.executed,
  server_version: run.serverVersion,
  failed_tests: run.failedTests,
  created_at: toIso(run.createdAt),
  started_at: run.startedAt === undefined ? undefined : toIso(run.startedAt),
  finished_at: run.finishedAt === undefined ? undefined : toIso(run.finishedAt),
});
