import { createLog, onShutdown, settingsOrExit, startOrExit } from '#platform';
import { createApiRuntime } from './api-runtime.js';
import { issueToken } from './auth/tokens.js';
import { startApi } from './start-api.js';

const settings = settingsOrExit();
const log = createLog(settings.FAIRWAY_LOG_LEVEL, { role: 'api' });

if (process.argv[2] === 'bootstrap') {
  await printBootstrapToken();
} else {
  const api = await startOrExit('api', () => startApi(settings, log));
  onShutdown(() => api.close());
}

/** The first admin token, printed once; refused as soon as there is any token. */
async function printBootstrapToken(): Promise<void> {
  const runtime = await createApiRuntime(settings, log);
  try {
    if ((await runtime.tokens.list()).length > 0) {
      process.stderr.write('There are tokens already. An admin makes more with POST /api/v1/tokens.\n');
      process.exitCode = 1;
      return;
    }
    const { token } = await issueToken(runtime, { name: 'bootstrap', role: 'admin' });
    process.stdout.write(`${token}\n`);
  } finally {
    await runtime.close();
  }
}
