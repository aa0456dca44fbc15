import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import type { DoctorReport, Finding, Inspection, UpgradePlanReport } from '#fleet';
import { API, type ApiRuntime } from '../api-runtime.js';
import { NeedsRole } from '../auth/needs.decorator.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { ApiError, notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';
import { findCluster } from './cluster-lookup.js';

const doctorSchema = z.strictObject({});
const planSchema = z.strictObject({
  to: z
    .string()
    .regex(/^v?\d+\.\d+(\.\d+)?([-+].*)?$/, 'must be a version such as 1.33 or 1.33.2')
    .max(40)
    .optional(),
});

/** Looks at clusters: a worker takes them, because only workers reach clusters. They change nothing, so viewers may ask. */
@Controller('api/v1/clusters/:cluster')
export class InspectionsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  /** Asks for a look now. */
  @Post('doctor')
  @NeedsRole('viewer')
  @HttpCode(202)
  async doctor(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    parseBody(doctorSchema, body ?? {});
    return this.ask(name, 'doctor', undefined, request);
  }

  /** The newest report. */
  @Get('doctor')
  latestDoctor(@Param('cluster') name: string) {
    return this.latest(name, 'doctor');
  }

  @Get('doctor/:id')
  doctorRun(@Param('cluster') name: string, @Param('id') id: string) {
    return this.one(name, 'doctor', id);
  }

  /** Asks for a plan to a version of Kubernetes; without one to what is configured, or the next minor. */
  @Post('upgrade-plan')
  @NeedsRole('viewer')
  @HttpCode(202)
  async plan(@Param('cluster') name: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    return this.ask(name, 'upgrade-plan', parseBody(planSchema, body ?? {}).to, request);
  }

  @Get('upgrade-plan')
  latestPlan(@Param('cluster') name: string) {
    return this.latest(name, 'upgrade-plan');
  }

  @Get('upgrade-plan/:id')
  planRun(@Param('cluster') name: string, @Param('id') id: string) {
    return this.one(name, 'upgrade-plan', id);
  }

  private async ask(
    name: string,
    kind: Inspection['kind'],
    target: string | undefined,
    request: AuthenticatedRequest,
  ) {
    const cluster = await findCluster(this.api, name);
    if (cluster.lifecycleStatus === 'decommissioned')
      throw new ApiError(
        409,
        'decommissioned',
        `${cluster.alias} is decommissioned`,
        'There is nothing to look at.',
      );
    const asked = await this.api.inspections.requestInspection({
      id: this.api.ids.next(),
      clusterId: cluster.id,
      kind,
      ...(target !== undefined && { target }),
      actor: actorOf(request),
      requestedAt: this.api.clock.now(),
    });
    await this.api.doorbell.ring(`inspection/${asked.id}`).catch((error: unknown) => {
      this.api.log.warn('doorbell is out of order; the sweep finds what is due', { reason: String(error) });
    });
    return encode(asked);
  }

  private async latest(name: string, kind: Inspection['kind']) {
    const cluster = await findCluster(this.api, name);
    const found = await this.api.inspections.latestInspection(cluster.id, kind);
    if (found) return encode(found);
    const remedy = `POST /api/v1/clusters/${cluster.id}/${kind} asks for one.`;
    throw new ApiError(404, 'no-report', `nobody has looked at ${cluster.alias} yet`, remedy);
  }

  private async one(name: string, kind: Inspection['kind'], id: string) {
    const cluster = await findCluster(this.api, name);
    const found = await this.api.inspections.getInspection(id);
    if (!found || found.clusterId !== cluster.id || found.kind !== kind) throw notFound(`${kind} ${id}`);
    return encode(found);
  }
}

const encode = (inspection: Inspection) => ({
  id: inspection.id,
  cluster: inspection.clusterId,
  kind: inspection.kind,
  state: stateOf(inspection),
  requested_at: toIso(inspection.requestedAt),
  requested_by: inspection.actor,
  finished_at: inspection.finishedAt === undefined ? undefined : toIso(inspection.finishedAt),
  failure: inspection.failure,
  report: encodeReport(inspection),
});

const stateOf = ({ finishedAt, failure }: Inspection): 'pending' | 'finished' | 'failed' =>
  finishedAt === undefined ? 'pending' : failure === undefined ? 'finished' : 'failed';

function encodeReport({ report, kind }: Inspection) {
  if (report === undefined) return undefined;
  return kind === 'doctor' ? encodeDoctor(report as DoctorReport) : encodePlan(report as UpgradePlanReport);
}

const encodeDoctor = (report: DoctorReport) => ({
  at: toIso(report.at),
  verdict: report.verdict,
  server_version: report.serverVersion,
  checks: report.checks,
  findings: report.findings.map(encodeFinding),
});

const encodeFinding = ({ since, blocksUpgrade, ...finding }: Finding) => ({
  ...finding,
  since: since === undefined ? undefined : toIso(since),
  blocks_upgrade: blocksUpgrade ?? false,
});

const encodePlan = (report: UpgradePlanReport) => ({
  at: toIso(report.at),
  api_servers: report.apiServers,
  target: report.target,
  target_from: report.targetFrom,
  components: report.components.map(({ byHand, ...component }) => ({ ...component, by_hand: byHand })),
  steps: report.steps.map(({ pointOfNoReturn, ...step }) => ({
    ...step,
    point_of_no_return: pointOfNoReturn,
  })),
  worker_rolls: report.workerRolls,
  point_of_no_return: report.pointOfNoReturn,
  no_return_already: report.noReturnAlready,
  violations: report.violations,
  removed_apis: report.removedApis.map(({ apiVersion, removedIn, ...use }) => ({
    api_version: apiVersion,
    removed_in: removedIn,
    ...use,
  })),
  by_hand: report.byHand,
  blockers: report.blockers.map(encodeFinding),
  unknown: report.unknown,
});
