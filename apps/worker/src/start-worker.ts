import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { nestLogger, type FieldLog, type Settings } from '#platform';
import { createWorkerRuntime, type WorkerRuntime } from './worker-runtime.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  readonly runtime: WorkerRuntime;
  close(): Promise<void>;
}

/** Starts the worker role in this process. */
export async function startWorker(settings: Settings, log: FieldLog): Promise<RunningWorker> {
  const runtime = await createWorkerRuntime(settings, log);
  const context = await NestFactory.createApplicationContext(WorkerModule.with(runtime), {
    logger: nestLogger(log),
    abortOnError: false,
  });
  log.info('worker started', { channels: settings.FAIRWAY_CHANNELS.map((channel) => channel.name) });
  return {
    runtime,
    close: async () => {
      await context.close();
      await runtime.close();
    },
  };
}
