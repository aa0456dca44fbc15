import { notFound } from '../errors/api-error.js';
import type { ApiRuntime } from '../api-runtime.js';

/** Channels in the order of promotion; before a worker has ever run, those of the settings. */
export async function channelNames(api: ApiRuntime): Promise<readonly string[]> {
  const stored = await api.channels.listChannels();
  return (stored.length > 0 ? stored : api.settings.FAIRWAY_CHANNELS).map(({ name }) => name);
}

/** Nothing is ever told of a channel that is not there: an empty answer would look like a quiet one. */
export async function checkChannel(api: ApiRuntime, name: string): Promise<void> {
  const channels = await channelNames(api);
  if (!channels.includes(name)) throw notFound(`channel ${name}`, `Channels are ${channels.join(', ')}.`);
}
