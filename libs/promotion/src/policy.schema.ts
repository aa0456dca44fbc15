import { IANAZone } from 'luxon';
import { z } from 'zod';
import type { Duration } from '#kernel';
import { days, parseDuration } from '#kernel';
import type { Amount, Freeze, TimeWindow } from './policy.js';
import { freezeInterval } from './windows.js';

const MAX_DURATION = days(366);

/** Adds a fault and stops this branch of the schema. */
function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

const durationSchema = z.union([z.string(), z.number()]).transform((value, context): Duration => {
  const parsed = value === 0 ? 0 : typeof value === 'string' ? parseDuration(value) : undefined;
  if (parsed === undefined) return refuse(context, `is no duration: write 90s, 30m, 2h or 3d`);
  if (parsed > MAX_DURATION) return refuse(context, 'is longer than a year');
  return parsed;
});

const PERCENT = /^(\d{1,3}(?:\.\d+)?)%$/;

const amountSchema = z.union([z.string(), z.number()]).transform((value, context): Amount => {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value > 0) return { kind: 'count', value };
    return refuse(context, 'must be a whole number of clusters above 0, or a share such as 10%');
  }
  const percent = Number(PERCENT.exec(value)?.[1]);
  if (percent > 0 && percent <= 100) return { kind: 'percent', value: percent };
  return refuse(context, 'must be a whole number of clusters above 0, or a share such as 10%');
});

const percentSchema = z.union([z.string(), z.number()]).transform((value, context): number => {
  const percent = typeof value === 'number' ? value : Number(PERCENT.exec(value)?.[1]);
  return percent > 0 && percent <= 100 ? percent : refuse(context, 'must be a share between 1% and 100%');
});

const zoneSchema = z
  .string()
  .refine((zone) => IANAZone.isValidZone(zone), 'is no IANA time zone such as Europe/Berlin');

const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/;
const clockSchema = z.string().transform((value, context): number => {
  if (!CLOCK.test(value)) return refuse(context, 'is no time of day such as "08:00"');
  return Number(value.slice(0, 2)) * 60 + Number(value.slice(3));
});

const DAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `Mon-Thu`, `Sat,Sun`, `Fri-Mon` or a list of names. */
const daysSchema = z
  .union([z.string(), z.array(z.string())])
  .transform((value, context): readonly number[] => {
    const found = new Set<number>();
    for (const part of (Array.isArray(value) ? value : value.split(',')).map((text) => text.trim())) {
      const [first, last = first] = part
        .split('-')
        .map((name) => DAY_NAMES.indexOf(name.trim().toLowerCase()));
      if (first === undefined || last === undefined || first < 0 || last < 0 || part.split('-').length > 2) {
        return refuse(context, `"${part}" is no day or range of days: write Mon-Thu or [Mon, Wed]`);
      }
      for (let day = first; ; day = (day + 1) % 7) {
        found.add(day + 1);
        if (day === last) break;
      }
    }
    return [...found].sort((a, b) => a - b);
  });

const windowSchema = z
  .strictObject({
    days: daysSchema.default([1, 2, 3, 4, 5, 6, 7]),
    start: clockSchema.default(0),
    end: clockSchema.default(1440),
    tz: zoneSchema.default('UTC'),
  })
  .refine((window) => window.start !== window.end, 'is empty: start and end are the same')
  .transform((window): TimeWindow => window);

const ISO_LOCAL = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?$/;
const localTimeSchema = z
  .string()
  .regex(ISO_LOCAL, 'is no date such as 2026-12-20 or 2026-12-20T18:00 (in tz)');

const freezeSchema = z
  .strictObject({
    from: localTimeSchema,
    to: localTimeSchema,
    tz: zoneSchema.default('UTC'),
    reason: z.string().min(1).max(500),
  })
  .refine(
    (freeze: Freeze) => freezeInterval(freeze) !== undefined,
    'must end after it begins, on dates that exist',
  );

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower case letters, digits and dashes');

const checkName = z.string().min(1).max(100);

const gatesSchema = z.strictObject({
  converged: z
    .strictObject({ coverage: percentSchema.default(100), maxOffline: z.int().min(0).optional() })
    .optional(),
  conformance: z
    .strictObject({
      suites: z.array(z.string()).min(1),
      clusters: z.union([z.literal('all'), z.int().min(1)]).default('all'),
    })
    .optional(),
  soak: durationSchema.optional(),
  windows: z.array(windowSchema).min(1).optional(),
  freeze: z.array(freezeSchema).optional(),
  approvals: z
    .strictObject({
      required: z.int().min(1).max(20).default(1),
      roles: z.array(z.string()).min(1).default(['approver']),
      authorMayApprove: z.boolean().default(true),
      expiresAfter: durationSchema.optional(),
    })
    .optional(),
  backup: z.strictObject({ maxAge: durationSchema }).optional(),
  health: z
    .strictObject({
      checks: z
        .array(
          z.union([
            z.strictObject({ name: checkName, promql: z.string().min(1).max(5_000), max: z.number() }),
            z.strictObject({ name: checkName, url: z.url({ protocol: /^https?$/ }).max(2_000) }),
          ]),
        )
        .max(20)
        .refine((checks) => new Set(checks.map((one) => one.name)).size === checks.length, 'has a name twice')
        .default([]),
    })
    .optional(),
  preflight: z.strictObject({}).optional(),
});

/** Git's rules for ref names, as far as a channel's branch may need them. Source: git-check-ref-format(1). */
const isBranchName = (branch: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$/.test(branch) && !/\.\.|\/\/|\/\.|\.$|\/$|\.lock(\/|$)/.test(branch);

const channelSchema = z.strictObject({
  name,
  branch: z.string().refine(isBranchName, 'is no branch name').optional(),
  from: z.string().optional(),
  promotion: z.enum(['automatic', 'manual']).default('automatic'),
  waves: z.array(amountSchema).min(1).max(50).optional(),
  wavePause: durationSchema.optional(),
  maxUnavailable: amountSchema.optional(),
  failureBudget: z.int().min(0).optional(),
  drift: z.enum(['off', 'detect', 'correct']).optional(),
  gates: gatesSchema.default({}),
});

/** Lookaround and back-references are not in RE2, which the tests' selection is read by. */
const re2Schema = z
  .string()
  .max(20_000)
  .superRefine((pattern, context) => {
    if (/\(\?(?:[=!]|<[=!])|\\[1-9]/.test(pattern)) {
      context.addIssue({
        code: 'custom',
        message: 'uses lookaround or a back-reference, which RE2 does not have',
      });
      return;
    }
    try {
      new RegExp(pattern.replace(/^\(\?[ims]+\)/, ''));
    } catch (error) {
      context.addIssue({ code: 'custom', message: `is no regular expression: ${(error as Error).message}` });
    }
  });

const repositoryPath = z
  .string()
  .refine((path) => /^[^/\\\0][^\\\0]*\.ya?ml$/.test(path) && !path.split('/').includes('..'), {
    message: 'must be the path of a YAML file inside the repository',
  });

const suiteSchema = z
  .strictObject({
    focus: re2Schema.optional(),
    skip: re2Schema.optional(),
    parallel: z.boolean().optional(),
    extraArgs: z.array(z.string().regex(/^--[^\s]+$/, 'must start with -- and hold no space')).optional(),
    timeout: durationSchema.optional(),
    expectedMin: z.int().min(1).optional(),
    job: repositoryPath.optional(),
  })
  .refine(
    (suite) => suite.job === undefined || (suite.focus ?? suite.skip ?? suite.extraArgs) === undefined,
    {
      message: 'an own job takes no focus, skip or extraArgs: put them into the job',
    },
  );

export const policySchema = z.strictObject({
  apiVersion: z.literal('fairway.dev/v1'),
  channels: z.array(channelSchema).min(1).max(50),
  suites: z.record(name, suiteSchema).default({}),
});

export type PolicyInput = z.output<typeof policySchema>;
