import type { Inspection } from '#fleet';
import { instant, json, key, optional, table, word } from './columns.js';

export const InspectionEntity = table<Inspection>('inspections', {
  id: key(),
  clusterId: word(),
  kind: word(),
  target: optional(word()),
  actor: word(),
  requestedAt: instant(),
  finishedAt: optional(instant()),
  report: optional(json()),
  failure: optional(json()),
});
