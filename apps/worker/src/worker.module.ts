import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { SchedulesService } from './schedules.service.js';
import { WORKER, type WorkerRuntime } from './worker-runtime.js';

@Module({})
export class WorkerModule {
  static with(runtime: WorkerRuntime): DynamicModule {
    return {
      module: WorkerModule,
      imports: [ScheduleModule.forRoot()],
      providers: [{ provide: WORKER, useValue: runtime }, SchedulesService],
    };
  }
}
