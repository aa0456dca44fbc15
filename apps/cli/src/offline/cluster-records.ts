import type { z } from 'zod';
import type { Cluster, InfrastructureAccount } from '#fleet';
import { accountSchema, clusterSchema, decodeAccount, decodeCluster } from '#fleet';
import { CommandError } from '../exit-codes.js';
import { readData } from './read-file.js';

type Account = Pick<InfrastructureAccount, 'name' | 'owner'>;

/** A cluster record from a file, and what its account is called where the file says so. */
export interface OfflineCluster {
  readonly cluster: Cluster;
  readonly account?: Account;
}

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Clusters of files as in the registry's API: one record, a list of them, or the answer of a list (`items`, or
 * `clusters`). Every fault of every record is reported. Two records with one id or alias are an error.
 */
export function readClusters(
  files: readonly string[],
  accountFiles: readonly string[],
): readonly OfflineCluster[] {
  const faults: string[] = [];
  const accounts = readAccounts(accountFiles, faults);
  const found: OfflineCluster[] = [];
  for (const file of files) {
    recordsOf(readData(file)).forEach((record, index, all) => {
      const where = all.length > 1 ? `${file}[${index}]` : file;
      const parsed = clusterSchema.safeParse(record);
      if (!parsed.success) faults.push(...issuesOf(where, parsed.error));
      else found.push(offlineCluster(record, parsed.data, accounts));
    });
  }
  faults.push(...repeated(found));
  refuse('cluster record', faults);
  return found;
}

function offlineCluster(
  record: unknown,
  parsed: z.infer<typeof clusterSchema>,
  accounts: ReadonlyMap<string, Account>,
): OfflineCluster {
  const fields = isRecord(record) ? record : {};
  const created = typeof fields['created_at'] === 'string' ? Date.parse(fields['created_at']) : Number.NaN;
  const cluster: Cluster = {
    ...decodeCluster(parsed),
    createdAt: Number.isNaN(created) ? 0 : created,
    recordVersion: 1,
  };
  const account = accounts.get(cluster.infrastructureAccount) ?? accountIn(fields);
  return { cluster, ...(account && { account }) };
}

/** CLM's file registry keeps the account's words in the cluster's record. */
function accountIn(fields: Fields): Account | undefined {
  const { owner, account_name: name } = fields;
  if (typeof owner !== 'string' && typeof name !== 'string') return undefined;
  return { owner: typeof owner === 'string' ? owner : '', name: typeof name === 'string' ? name : '' };
}

function readAccounts(files: readonly string[], faults: string[]): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>();
  for (const file of files) {
    for (const record of recordsOf(readData(file))) {
      const parsed = accountSchema.safeParse(record);
      if (!parsed.success) faults.push(...issuesOf(file, parsed.error));
      else accounts.set(parsed.data.id, decodeAccount(parsed.data));
    }
  }
  return accounts;
}

function recordsOf(data: unknown): readonly unknown[] {
  if (Array.isArray(data)) return data;
  if (isRecord(data) && !('id' in data)) {
    const list = data['items'] ?? data['clusters'];
    if (Array.isArray(list)) return list;
  }
  return [data];
}

function repeated(clusters: readonly OfflineCluster[]): readonly string[] {
  const seen = new Set<string>();
  return clusters.flatMap(({ cluster }) =>
    [`id ${cluster.id}`, `alias ${cluster.alias}`].flatMap((name) => {
      const again = seen.has(name);
      seen.add(name);
      return again ? [`two cluster records have the ${name}`] : [];
    }),
  );
}

export const issuesOf = (where: string, error: z.ZodError): readonly string[] =>
  error.issues.map(
    ({ path, message }) => `${where}: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`,
  );

export function refuse(what: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const [first = ''] = faults;
  const text = faults.length === 1 ? first : `\n  ${faults.join('\n  ')}`;
  throw new CommandError(`no valid ${what}: ${text}`, undefined, 'Write it as in the registry’s API.');
}
