import type { Condition } from './objects.js';

/** RFC 3339 with seconds, as every timestamp of the API. */
export const timestamp = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;

export const parseTimestamp = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** The list with this condition set; `lastTransitionTime` moves only when the status does. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
  now: number,
): Condition[] {
  const list = [...(conditions ?? [])];
  const index = list.findIndex((condition) => condition.type === next.type);
  const known = list[index];
  const lastTransitionTime =
    known?.status === next.status && known.lastTransitionTime ? known.lastTransitionTime : timestamp(now);
  const merged: Condition = { ...next, lastTransitionTime };
  if (known) list[index] = merged;
  else list.push(merged);
  return list;
}

export const conditionOf = (
  holder: { readonly status?: { readonly conditions?: readonly Condition[] } } | undefined,
  type: string,
): Condition | undefined => holder?.status?.conditions?.find((condition) => condition.type === type);
