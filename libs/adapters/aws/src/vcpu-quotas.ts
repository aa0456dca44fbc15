/**
 * Which quota of Service Quotas (service `ec2`) counts the vCPUs of an instance type, by the letters before the first digit
 * of its name. Sources: EC2 User Guide, "On-Demand Instance quotas" and "Spot Instance quotas"; AWS offers no call for it.
 */
export interface QuotaCodes {
  readonly onDemand?: string;
  readonly spot?: string;
}

const STANDARD: QuotaCodes = { onDemand: 'L-1216C47A', spot: 'L-34B43A08' };
const GRAPHICS: QuotaCodes = { onDemand: 'L-DB2E81BA', spot: 'L-3819A6DF' };

const BY_FAMILY: Readonly<Record<string, QuotaCodes>> = {
  ...families(STANDARD, ['a', 'c', 'cc', 'cr', 'd', 'h', 'hs', 'i', 'im', 'is', 'm', 'r', 't', 'z']),
  ...families(GRAPHICS, ['g', 'gr', 'vt']),
  dl: { onDemand: 'L-6E869C2A', spot: 'L-85EED4F7' },
  f: { onDemand: 'L-74FC7D96', spot: 'L-88CF9481' },
  hpc: { onDemand: 'L-F7808C92' },
  inf: { onDemand: 'L-1945791B', spot: 'L-B5D1601B' },
  p: { onDemand: 'L-417A185B' },
  trn: { onDemand: 'L-2C3B7624', spot: 'L-6B0D517C' },
  // High memory: `u-6tb1.metal`, `u7i-12tb.224xlarge`.
  u: { onDemand: 'L-43DA4232' },
  x: { onDemand: 'L-7295265B', spot: 'L-E3A00192' },
};

/** Spot tells generations of P apart. */
const SPOT_OF_P: Readonly<Record<string, string>> = {
  p2: 'L-7212CCBC',
  p3: 'L-7212CCBC',
  p4: 'L-7212CCBC',
  p5: 'L-C4BD4855',
};

/** Empty for a family that is not known, such as `mac`, which lives on dedicated hosts. */
export function quotaCodesOf(instanceType: string): QuotaCodes {
  const [, letters = '', generation = ''] = /^([a-z]+)-?(\d*)/.exec(instanceType) ?? [];
  const spot = letters === 'p' ? SPOT_OF_P[`p${generation.slice(0, 1)}`] : undefined;
  return { ...BY_FAMILY[letters], ...(spot !== undefined && { spot }) };
}

/** Every code that is asked for. */
export const VCPU_QUOTA_CODES: ReadonlySet<string> = new Set(
  [...Object.values(BY_FAMILY), ...Object.values(SPOT_OF_P).map((spot): QuotaCodes => ({ spot }))].flatMap(
    ({ onDemand, spot }) => [onDemand, spot].filter((code) => code !== undefined),
  ),
);

function families(codes: QuotaCodes, names: readonly string[]): Readonly<Record<string, QuotaCodes>> {
  return Object.fromEntries(names.map((name) => [name, codes]));
}
