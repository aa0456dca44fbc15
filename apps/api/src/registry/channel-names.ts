import type { ApiRuntime } from '../api-runtime.js';

/** Channels in the order of promotion; before a worker has ever run, those of the settings. */
export async function channelNames(api: ApiRuntime): Promise<readonly string[]> {
  const stored = await api.channels.listChannels();
  return (stored.length > 0 ? stored : api.settings.FAIRWAY_CHANNELS).map(({ name }) => name);
}
