export { classify } from './classify.js';
export { Database, type PoolOptions } from './database.js';
export type { RouteFilter } from './event-writer.js';
export { migrate } from './migrate.js';
export { createPostgresStores, type PostgresStores, type PostgresStoresOptions } from './postgres-stores.js';
export type { ProblemRepository, RecordedProblem } from './repositories/problem.repository.js';
export { describeSchema, entityDrift } from './schema-description.js';
