import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { nestLogger, type FieldLog, type Settings } from '#platform';
import { startOperationsServer } from './operations-server.js';
import { createWorkerRuntime, type WorkerRuntime } from './worker-runtime.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  readonly runtime: WorkerRuntime;
  close(): Promise<void>;
}

/** Starts the worker role in this process. */
export async function startWorker(settings: Settings, log: FieldLog): Promise<RunningWorker> {
  // The SDK warns of Node 20 on standard error at every start; which versions we run on is said in package.json.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const runtime = await createWorkerRuntime(settings, log);
  const context = await NestFactory.createApplicationContext(WorkerModule.with(runtime), {
    logger: nestLogger(log),
    abortOnError: false,
  });
  const operations = await startOperationsServer(
    runtime,
    settings.FAIRWAY_HOST,
    settings.FAIRWAY_WORKER_PORT,
  );
  log.info('worker started', {
    url: operations.url,
    channels: settings.FAIRWAY_CHANNELS.map((channel) => channel.name),
  });
  return {
    runtime,
    close: async () => {
      await operations.close();
      await context.close();
      await runtime.close();
    },
  };
}
