import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { toFailure } from '#kernel';
import { Public } from '../auth/needs.decorator.js';
import { API, type ApiRuntime } from '../api-runtime.js';

@Controller()
@Public()
export class HealthController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  /** The process is alive; says nothing of others. */
  @Get('healthz')
  health() {
    return { status: 'ok' };
  }

  /** The database answers; how old Git's last answer is is shown, but an old one makes nobody unready. */
  @Get('readyz')
  async ready(@Res({ passthrough: true }) response: Response) {
    try {
      await this.api.ping();
      const repositories = await this.api.channels.repositories();
      const now = this.api.clock.now();
      return {
        status: 'ok',
        checks: {
          database: 'ok',
          git: repositories.map(({ url, lastSuccessAt, problem }) => ({
            repository: url,
            age_seconds: lastSuccessAt === undefined ? undefined : Math.round((now - lastSuccessAt) / 1000),
            problem: problem?.title,
          })),
        },
      };
    } catch (thrown) {
      response.status(503);
      return { status: 'unavailable', checks: { database: toFailure(thrown).code } };
    }
  }

  @Get('metrics')
  async metrics(@Res() response: Response): Promise<void> {
    const { registry } = this.api.metrics;
    response.type(registry.contentType).send(await registry.metrics());
  }
}
