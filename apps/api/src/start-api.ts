import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { nestLogger, startPatiently, type FieldLog, type Settings } from '#platform';
import { createApiRuntime, type ApiRuntime } from './api-runtime.js';
import { ApiModule } from './api.module.js';
import { ensureBootstrapToken } from './auth/tokens.js';
import { overdueReads } from './errors/overdue-reads.js';

const BODY_LIMIT = '1mb';

export interface RunningApi {
  readonly runtime: ApiRuntime;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  close(): Promise<void>;
}

const isWebhook = (request: IncomingMessage): boolean => request.url?.startsWith('/webhooks/') ?? false;

/** Starts the HTTP role in this process. */
export async function startApi(settings: Settings, log: FieldLog): Promise<RunningApi> {
  const start = (): Promise<ApiRuntime> => createApiRuntime(settings, log);
  const runtime = await startPatiently(start, settings.FAIRWAY_START_PATIENCE, log);
  await ensureBootstrapToken(runtime, settings.FAIRWAY_BOOTSTRAP_TOKEN);
  const app = await NestFactory.create<NestExpressApplication>(ApiModule.with(runtime), {
    logger: nestLogger(log),
    abortOnError: false,
    rawBody: true,
    bodyParser: false,
    // Open event streams would keep a closing server waiting.
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  // Whatever content type a client claims: bodies of this API are JSON, and those of webhooks are bytes that were signed.
  app.useBodyParser('raw', { limit: BODY_LIMIT, type: isWebhook });
  app.useBodyParser('json', { limit: BODY_LIMIT, type: (request) => !isWebhook(request) });
  app.use(overdueReads(settings.FAIRWAY_READ_TIME_LIMIT));
  await app.listen(settings.FAIRWAY_PORT, settings.FAIRWAY_HOST);
  const address = app.getHttpServer().address() as AddressInfo;
  const url = `http://${settings.FAIRWAY_HOST}:${address.port}`;
  log.info('api listens', { url });
  return {
    runtime,
    url,
    close: async () => {
      await app.close();
      await runtime.close();
    },
  };
}
