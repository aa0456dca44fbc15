import { createLog, onShutdown, settingsOrExit, startOrExit } from '#platform';
import { startWorker } from './start-worker.js';

const settings = settingsOrExit();
const log = createLog(settings.FAIRWAY_LOG_LEVEL, { role: 'worker' });
const worker = await startOrExit('worker', () => startWorker(settings, log));
onShutdown(() => worker.close());
