import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, EXIT } from '../exit-codes.js';
import type { InspectionAnswer } from './inspection-answers.js';
import { client } from './session.js';

const LOOK_MS = 500;

export interface InspectOptions {
  /** The newest report instead of a new look. */
  readonly last?: boolean;
  /** Seconds. */
  readonly wait: string;
}

/** Asks for a look and waits for its report, or fetches the newest one. */
export async function inspect<Report>(
  cluster: string,
  kind: 'doctor' | 'upgrade-plan',
  body: object,
  { last, wait }: InspectOptions,
): Promise<Report> {
  const base = `/api/v1/clusters/${encodeURIComponent(cluster)}/${kind}`;
  const api = client();
  const seconds = Number(wait);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new CommandError(`--wait ${wait} is no number of seconds`, EXIT.usage);
  let answer = last
    ? await api.get<InspectionAnswer<Report>>(base)
    : await api.post<InspectionAnswer<Report>>(base, body);
  const deadline = Date.now() + seconds * 1000;
  while (answer.state === 'pending') {
    if (Date.now() > deadline) throw late(cluster, wait);
    await sleep(LOOK_MS);
    answer = await api.get<InspectionAnswer<Report>>(`${base}/${answer.id}`);
  }
  const { report, failure } = answer;
  if (report === undefined)
    throw new CommandError(failure?.message ?? 'there is no report', EXIT.error, failure?.hint);
  return report;
}

const late = (cluster: string, wait: string): CommandError =>
  new CommandError(
    `no worker has looked at ${cluster} within ${wait} s`,
    EXIT.error,
    'Are workers running? Ask again, or wait longer with --wait.',
  );
