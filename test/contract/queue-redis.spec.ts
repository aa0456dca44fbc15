import { inject } from 'vitest';
import { wireTo } from '../support/cuttable-wire.js';
import { queueContract } from './queue.contract.js';
import { suiteNotRun } from '../support/suite-not-run.js';

const redisUrl = inject('redisUrl');

if (redisUrl === undefined) {
  suiteNotRun('queue on Redis', 'redis-server not found');
} else {
  queueContract('Redis', async () => {
    const url = new URL(redisUrl);
    const wire = await wireTo(url.hostname, Number(url.port));
    url.host = `127.0.0.1:${wire.port}`;
    return {
      location: (name) => ({ kind: 'redis', redisUrl: url.toString(), name }),
      stop: () => wire.down(),
      start: () => wire.up(),
      close: () => wire.down(),
    };
  });
}
