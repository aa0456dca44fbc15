import type { FleetEvent } from '#fleet';

/** Something worth an event; the engine adds subject, channel and time. */
export type ChannelNote = Pick<FleetEvent, 'type' | 'severity' | 'message' | 'data' | 'dedupeKey'>;
