import { z } from 'zod';

const MOST_PROBLEMS = 100;

/** Clients send what they do not know as null, or not at all. */
const word = z
  .string({ error: 'must be a string' })
  .max(4_096)
  .nullable()
  .optional()
  .transform((value) => value?.replaceAll('\0', '') ?? undefined);

const problem = z.looseObject({
  type: word,
  title: word,
  status: z.number({ error: 'must be an integer' }).int().nullable().optional(),
  detail: word,
  instance: word,
});

/** `ClusterStatus` of the registry contract as a client reports it. */
export const reportedStatusSchema = z.object({
  current_version: word,
  last_version: word,
  next_version: word,
  problems: z
    .array(problem)
    .max(MOST_PROBLEMS)
    .nullable()
    .optional()
    .transform((problems) => (problems ?? []).map(contractual)),
});

/** Stored and answered as it came, as far as the contract knows it. */
export type ReportedStatus = z.infer<typeof reportedStatusSchema>;

/** Only what the contract declares: additional members have to be strings there. */
function contractual({ type, title, status, detail, instance, ...more }: z.infer<typeof problem>) {
  const others = Object.entries(more).filter(([, value]) => typeof value === 'string');
  return {
    ...Object.fromEntries(others),
    type: type ?? 'about:blank',
    title: title ?? '',
    ...(typeof status === 'number' && { status }),
    ...(detail !== undefined && { detail }),
    ...(instance !== undefined && { instance }),
  };
}
