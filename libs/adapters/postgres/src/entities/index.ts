import * as backups from './backups.schema.js';
import * as channels from './channels.schema.js';
import * as configs from './configs.schema.js';
import * as decisions from './decisions.schema.js';
import * as events from './events.schema.js';
import * as inspections from './inspections.schema.js';
import * as manifests from './manifests.schema.js';
import * as registry from './registry.schema.js';
import * as rolls from './rolls.schema.js';
import * as updates from './updates.schema.js';

/** Every table of the schema, as TypeORM knows it. Compared with the database by a test. */
export const ENTITIES = [
  ...Object.values(registry),
  ...Object.values(channels),
  ...Object.values(updates),
  ...Object.values(events),
  ...Object.values(decisions),
  ...Object.values(configs),
  ...Object.values(rolls),
  ...Object.values(backups),
  ...Object.values(inspections),
  ...[manifests.DriftFindingEntity, manifests.PruneStateEntity, manifests.ManifestRequestEntity],
];
