import { readFileSync } from 'node:fs';
import pg from 'pg';
import {
  DataSource,
  type DataSourceOptions,
  type EntityManager,
  type Logger,
  type QueryRunner,
} from 'typeorm';
import { FailureError, seconds } from '#kernel';
import { classified, classify } from './classify.js';
import { ENTITIES } from './entities/index.js';

/** Settings of the connection pool. */
export interface PoolOptions {
  readonly url: string;
  /** Connections at most, 10 if absent. */
  readonly size?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** File with the CA that signed the server's certificate; turns TLS with verification on. */
  readonly caFile?: string;
  /** False for a pooler that cannot keep prepared statements. */
  readonly prepare?: boolean;
}

/** Parameterised SQL. `bigint` columns arrive as numbers, `timestamptz` as `Date`, `jsonb` parsed. */
export interface Queryable {
  rows<R>(sql: string, params?: readonly unknown[]): Promise<readonly R[]>;
  /** The number of rows that were changed. */
  execute(sql: string, params?: readonly unknown[]): Promise<number>;
}

export interface Transaction extends Queryable {
  readonly manager: EntityManager;
}

interface Executor {
  query(query: {
    name?: string;
    text: string;
    values: unknown[];
  }): Promise<{ rows: unknown[]; rowCount: number | null }>;
}

const TRANSACTION_ATTEMPTS = 5;
/** Statements beyond this number are not prepared: their text depends on filters. */
const PREPARED_LIMIT = 200;

/**
 * The database, by TypeORM's pool. It connects with the first use and heals by itself: while the server is away every
 * call rejects with `database-unreachable` (transient). Every error is classified.
 */
export class Database implements Queryable {
  readonly dataSource: DataSource;
  private connecting: Promise<DataSource> | undefined;
  private closed = false;
  private readonly names = new Map<string, string>();

  constructor(private readonly options: PoolOptions) {
    this.dataSource = new DataSource(dataSourceOptions(options));
  }

  async rows<R>(sql: string, params: readonly unknown[] = []): Promise<readonly R[]> {
    return this.guarded(async () => this.run<R>(await this.pool(), sql, params));
  }

  async execute(sql: string, params: readonly unknown[] = []): Promise<number> {
    return this.guarded(async () => {
      const result = await (await this.pool()).query(this.statement(sql, params));
      return result.rowCount ?? 0;
    });
  }

  /** Reads by entities, outside of a transaction. */
  async read<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.guarded(async () => work((await this.connect()).manager));
  }

  /** Read committed. Deadlocks are tried again, so `work` must touch nothing but the transaction. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        const failure = classify(error);
        if (failure.code !== 'database-contention' || attempt === TRANSACTION_ATTEMPTS)
          throw classified(error);
      }
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.connecting?.catch(() => undefined);
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async connect(): Promise<DataSource> {
    if (this.closed) {
      throw new FailureError({
        class: 'transient',
        code: 'database-unreachable',
        message: 'the pool is closed',
      });
    }
    this.connecting ??= this.dataSource.initialize().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = (await this.connect()).createQueryRunner();
    try {
      const client = (await runner.connect()) as Executor;
      await runner.startTransaction();
      const result = await work(this.transactionOn(client, runner));
      await runner.commitTransaction();
      return result;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release().catch(() => undefined);
    }
  }

  private transactionOn(client: Executor, runner: QueryRunner): Transaction {
    return {
      manager: runner.manager,
      rows: (sql, params = []) => this.run(client, sql, params),
      execute: async (sql, params = []) => (await client.query(this.statement(sql, params))).rowCount ?? 0,
    };
  }

  private async run<R>(on: Executor, sql: string, params: readonly unknown[]): Promise<readonly R[]> {
    return (await on.query(this.statement(sql, params))).rows as R[];
  }

  private statement(
    text: string,
    params: readonly unknown[],
  ): { name?: string; text: string; values: unknown[] } {
    const values = [...params];
    if (this.options.prepare === false) return { text, values };
    const known = this.names.get(text);
    if (known !== undefined) return { name: known, text, values };
    if (this.names.size >= PREPARED_LIMIT) return { text, values };
    const name = `fairway_${this.names.size}`;
    this.names.set(text, name);
    return { name, text, values };
  }

  private async pool(): Promise<Executor> {
    const { driver } = await this.connect();
    return (driver as unknown as { master: Executor }).master;
  }

  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw classified(error);
    }
  }
}

const INT8 = 20;

/** Ids and counters stay far below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
};

export function connectionSettings(options: PoolOptions): Record<string, unknown> {
  return {
    ...(options.caFile !== undefined && { ssl: { ca: readFileSync(options.caFile, 'utf8') } }),
    application_name: options.applicationName ?? 'fairway',
    connectionTimeoutMillis: seconds(5),
    keepAlive: true,
    keepAliveInitialDelayMillis: seconds(10),
  };
}

/** TypeORM prints some things whatever the level; errors reach the caller, who logs them once. */
const SILENT: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

function dataSourceOptions(options: PoolOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    entities: [...ENTITIES],
    synchronize: false,
    logging: false,
    logger: SILENT,
    installExtensions: false,
    // An idle connection that breaks is replaced with the next use; there is nothing to report.
    poolErrorHandler: () => undefined,
    extra: {
      ...connectionSettings(options),
      max: options.size ?? 10,
      types,
      statement_timeout: seconds(60),
      idle_in_transaction_session_timeout: seconds(60),
    },
  };
}
