import type { AuditEntry } from '#ports';
import type { Queryable } from './database.js';
import { storableText, toJsonb } from './json.js';

const INSERT = `
  INSERT INTO audit_log (at, actor, action, subject, reason, data)
  VALUES (to_timestamp($1::float8 / 1000), $2, $3, $4, $5, $6)`;

/** Appends to the audit log, in the transaction of the change where there is one. */
export async function appendAudit(tx: Queryable, entry: Omit<AuditEntry, 'id'>): Promise<void> {
  const reason = entry.reason === undefined ? null : storableText(entry.reason);
  await tx.execute(INSERT, [entry.at, entry.actor, entry.action, entry.subject, reason, toJsonb(entry.data)]);
}
