import { describe, expect, it } from 'vitest';
import { quotaCodesOf, VCPU_QUOTA_CODES } from './vcpu-quotas.js';

describe('quotaCodesOf', () => {
  it.each<[string, string | undefined, string | undefined]>([
    ['m5.xlarge', 'L-1216C47A', 'L-34B43A08'],
    ['m7i-flex.large', 'L-1216C47A', 'L-34B43A08'],
    ['im4gn.large', 'L-1216C47A', 'L-34B43A08'],
    ['t4g.small', 'L-1216C47A', 'L-34B43A08'],
    ['g4dn.xlarge', 'L-DB2E81BA', 'L-3819A6DF'],
    ['gr6.4xlarge', 'L-DB2E81BA', 'L-3819A6DF'],
    ['vt1.3xlarge', 'L-DB2E81BA', 'L-3819A6DF'],
    ['p3dn.24xlarge', 'L-417A185B', 'L-7212CCBC'],
    ['p5en.48xlarge', 'L-417A185B', 'L-C4BD4855'],
    ['p6-b200.48xlarge', 'L-417A185B', undefined],
    ['inf2.xlarge', 'L-1945791B', 'L-B5D1601B'],
    ['trn1n.32xlarge', 'L-2C3B7624', 'L-6B0D517C'],
    ['dl1.24xlarge', 'L-6E869C2A', 'L-85EED4F7'],
    ['f1.2xlarge', 'L-74FC7D96', 'L-88CF9481'],
    ['x2idn.16xlarge', 'L-7295265B', 'L-E3A00192'],
    ['u-6tb1.metal', 'L-43DA4232', undefined],
    ['u7i-12tb.224xlarge', 'L-43DA4232', undefined],
    ['hpc7a.96xlarge', 'L-F7808C92', undefined],
    ['mac2.metal', undefined, undefined],
    ['', undefined, undefined],
  ])('%s', (type, onDemand, spot) => {
    expect(quotaCodesOf(type)).toEqual({ ...(onDemand && { onDemand }), ...(spot && { spot }) });
  });

  it('reads all of them', () => {
    expect(VCPU_QUOTA_CODES.size).toBe(19);
    expect(VCPU_QUOTA_CODES).toContain('L-C4BD4855');
  });
});
