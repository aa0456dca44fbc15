import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import { toIso } from '#kernel';
import type { StoredEvent } from '#fleet';
import type { AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { checkChannel } from '../registry/channel-names.js';
import { parseBody } from '../registry/parse-body.js';
import { findCluster } from './cluster-lookup.js';

const HEARTBEAT_MS = 15_000;
/** A commit that nobody told us of (LISTEN was reconnecting) is found after this. */
const LOOK_MS = 2_000;
const BATCH = 200;

const querySchema = z.object({
  channel: z.string().optional(),
  cluster: z.string().optional(),
  after: z.coerce.number().int().min(0).optional(),
  newest: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
type EventQuery = z.infer<typeof querySchema>;

/** Events as a page (JSON) or as they happen (SSE, with replay from `Last-Event-ID`). */
@Controller('api/v1/events')
export class EventsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async events(
    @Query() rawQuery: unknown,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    const query = await this.withClusterId(parseBody(querySchema, rawQuery));
    if (query.channel !== undefined) await checkChannel(this.api, query.channel);
    if (!(request.headers.accept ?? '').includes('text/event-stream')) {
      const items =
        query.newest === 'true'
          ? await this.api.outbox.newestEvents(query.limit, filterOf(query))
          : await this.api.outbox.eventsAfter(query.after ?? 0, query.limit, filterOf(query));
      response.json({ items: items.map(encodeEvent) });
      return;
    }
    const header = request.headers['last-event-id'];
    const replayFrom = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : query.after;
    const after = replayFrom ?? (await this.api.outbox.lastEventId());
    await this.stream(query, after, response, request.stillAllowed);
  }

  /** By alias too; an id is taken as it is, because a cluster that is gone has events. */
  private async withClusterId(query: EventQuery): Promise<EventQuery> {
    if (query.cluster === undefined || query.cluster.includes(':')) return query;
    return { ...query, cluster: (await findCluster(this.api, query.cluster)).id };
  }

  /** Until the reader goes, or the token with which it was opened is revoked or expires. */
  private async stream(
    query: EventQuery,
    after: number,
    response: Response,
    stillAllowed: () => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<void> {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write(': connected\n\n');
    const state = { after, open: true, wake: (): void => undefined };
    const stopListening = this.api.outbox.onCommitted(() => state.wake());
    const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
    // Not the request: that one is over as soon as it was read.
    response.on('close', () => {
      state.open = false;
      clearInterval(heartbeat);
      stopListening();
      state.wake();
    });
    while (state.open && (await stillAllowed())) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        state.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const full = await this.write(query, state, response);
      if (!full) await woken;
    }
    response.end();
  }

  /** True when there may be more right away. A database that is away ends nothing: the next look finds it back. */
  private async write(
    query: EventQuery,
    state: { after: number; open: boolean },
    response: Response,
  ): Promise<boolean> {
    try {
      const events = await this.api.outbox.eventsAfter(state.after, BATCH, filterOf(query));
      for (const event of events) {
        state.after = event.id;
        response.write(
          `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(encodeEvent(event))}\n\n`,
        );
      }
      if (response.writableNeedDrain)
        await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
      return events.length === BATCH;
    } catch (error) {
      this.api.log.warn('events could not be read', { reason: String(error) });
      return false;
    }
  }
}

const filterOf = (query: EventQuery) => ({
  ...(query.channel !== undefined && { channel: query.channel }),
  ...(query.cluster !== undefined && { clusterId: query.cluster }),
});

const encodeEvent = (event: StoredEvent) => ({
  id: event.id,
  type: event.type,
  at: toIso(event.at),
  severity: event.severity,
  subject: event.subject,
  channel: event.channel,
  cluster: event.clusterId,
  message: event.message,
  data: event.data,
});
