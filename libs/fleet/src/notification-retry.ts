import { hours, minutes, seconds, type Duration } from '#kernel';

/** Waits after the first, second … failed attempt: about 75 hours in all. Source: Standard Webhooks, "Retries". */
const SCHEDULE: readonly Duration[] = [
  seconds(5),
  minutes(5),
  minutes(30),
  hours(2),
  hours(5),
  hours(10),
  hours(14),
  hours(20),
  hours(24),
];

/** How long to wait after this many failed attempts (1 = the first); undefined when it is time to give up. */
export const retryDelay = (attempt: number): Duration | undefined => SCHEDULE[Math.max(1, attempt) - 1];
