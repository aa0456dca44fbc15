import { wireTo } from '../support/cuttable-wire.js';
import { freshDatabase } from '../support/database.js';
import { queueContract } from './queue.contract.js';

queueContract('Postgres', async () => {
  const database = await freshDatabase();
  const url = new URL(database.url);
  const wire = await wireTo(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${wire.port}`;
  return {
    location: (name) => ({ kind: 'postgres', databaseUrl: url.toString(), name }),
    stop: () => wire.down(),
    start: () => wire.up(),
    close: async () => {
      await wire.down();
      await database.drop();
    },
  };
});
