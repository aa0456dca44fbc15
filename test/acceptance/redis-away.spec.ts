import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { findRedisServer, startRedis } from '../support/redis-server.js';
import { suiteNotRun } from '../support/suite-not-run.js';
import { register, startBed } from './support/bed.js';
import { NEW_IMAGE } from './support/config-clone.js';
import { openIntents, Outside, repeated } from './support/outside.js';

const AWAY_MS = 8_000;
const binary = findRedisServer();

if (binary === undefined) suiteNotRun('redis-away', 'redis-server is not installed');
else
  describe('Redis away in the middle of a roll', () => {
    it('costs latency, nothing else', async () => {
      let redis = await startRedis(binary);
      const port = Number(new URL(redis.url).port);
      const bed = await startBed({ speed: 400, redisUrl: redis.url });
      const outside = new Outside(bed.sandbox.estate);
      try {
        const id = await register(bed, { alias: 'patient' });
        await bed.ready('patient');
        const since = bed.sandbox.estate.aws.calls.length;
        const clone = await bed.clone();
        await clone.setNodeImage(NEW_IMAGE);
        const commit = await clone.publish('another node image');
        await eventually(() => outside.terminations(since).length > 0, 'the first node replaced', 240_000);
        await redis.stop();
        const gone = Date.now();
        await eventually(
          async () =>
            (await bed.api.cluster('patient')).current_version !== commit && Date.now() - gone > AWAY_MS,
          'the API answering while Redis is away',
          AWAY_MS * 10,
        );
        redis = await startRedis(binary, port);
        await bed.ready('patient', commit);
        expect(repeated(outside.terminations(since))).toEqual([]);
        expect(outside.terminations(since)).toHaveLength(3);
        expect(repeated(outside.evictions(id))).toEqual([]);
        expect(await openIntents(bed.databaseUrl)).toEqual([]);
        expect(bed.sandbox.estate.evidence()).toMatchObject({ clean: true, terminatedTwice: [] });
      } finally {
        outside.close();
        await bed.close();
        await redis.stop();
      }
    });
  });
