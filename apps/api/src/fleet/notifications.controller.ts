import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import type { RecordedDelivery } from '#ports';
import { notificationFilters } from '#platform';
import { API, type ApiRuntime } from '../api-runtime.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { parseBody } from '../registry/parse-body.js';

const listSchema = z.object({
  state: z.enum(['pending', 'delivered', 'dead']).optional(),
  route: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});
const replaySchema = z
  .strictObject({ id: z.string().optional(), route: z.string().optional() })
  .refine(({ id, route }) => (id === undefined) !== (route === undefined), 'name a delivery (id) or a route');
const testSchema = z.strictObject({ channel: z.string().optional() });

/** What was sent to whom, what never arrived, and sending it again. */
@Controller('api/v1/notifications')
export class NotificationsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get('deliveries')
  async deliveries(@Query() query: unknown) {
    const { limit, state, route } = parseBody(listSchema, query);
    const filter = { ...(state !== undefined && { state }), ...(route !== undefined && { route }) };
    return { items: (await this.api.deliveries.deliveries(filter, limit)).map(encodeDelivery) };
  }

  /** Configured routes; no address is ever shown, many are secrets. */
  @Get('routes')
  async routes() {
    const states = new Map((await this.api.deliveries.routes()).map((state) => [state.name, state]));
    const configured = notificationFilters(this.api.settings).map(({ route }) => route);
    return {
      items: [...new Set([...configured, ...states.keys()])].map((name) => {
        const state = states.get(name);
        return {
          name,
          configured: configured.includes(name),
          pending: state?.pending ?? 0,
          dead: state?.dead ?? 0,
          disabled_at: state?.disabledAt === undefined ? undefined : toIso(state.disabledAt),
          disabled_reason: state?.disabledReason,
        };
      }),
    };
  }

  @Post('replay')
  @HttpCode(202)
  async replay(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { id, route } = parseBody(replaySchema, body);
    const at = this.api.clock.now();
    const what = id === undefined ? { route: route ?? '' } : { id };
    const replayed = await this.api.deliveries.replay(what, at);
    const subject = `notification/${id ?? route}`;
    await this.api.audit.append({
      at,
      actor: actorOf(request),
      action: 'notification.replayed',
      subject,
      data: { replayed },
    });
    return { replayed };
  }

  /** One event that every route gets. */
  @Post('test')
  @HttpCode(202)
  async test(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { channel } = parseBody(testSchema, body);
    const actor = actorOf(request);
    await this.api.deliveries.publish({
      type: 'notification.test',
      at: this.api.clock.now(),
      severity: 'info',
      subject: 'notification/test',
      ...(channel !== undefined && { channel }),
      message: `a test of the notifications, asked for by ${actor}`,
      data: { by: actor },
    });
    return { routes: notificationFilters(this.api.settings).map(({ route }) => route) };
  }
}

const encodeDelivery = ({ dueAt, settledAt, eventId, ...delivery }: RecordedDelivery) => ({
  ...delivery,
  event_id: eventId,
  due_at: toIso(dueAt),
  settled_at: settledAt === undefined ? undefined : toIso(settledAt),
});
