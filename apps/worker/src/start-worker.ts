import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { nestLogger, startPatiently, type FieldLog, type Settings } from '#platform';
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
  const operations = await startOperationsServer(settings.FAIRWAY_HOST, settings.FAIRWAY_WORKER_PORT);
  const start = (): Promise<WorkerRuntime> => createWorkerRuntime(settings, log);
  const runtime = await startPatiently(start, settings.FAIRWAY_START_PATIENCE, log).catch(
    async (thrown: unknown) => {
      await operations.close();
      throw thrown;
    },
  );
  const context = await NestFactory.createApplicationContext(WorkerModule.with(runtime), {
    logger: nestLogger(log),
    abortOnError: false,
  });
  operations.started(runtime);
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
