import { AwsError } from '../aws/aws-error.js';
import { text } from '../aws/props.js';
import type { RegionalAws } from '../aws/region.js';
import type { ServiceQuota } from '../aws/quotas.js';
import type { Actions } from './handler.js';
import { page } from './pages.js';

const shape = (
  { account, region }: RegionalAws,
  quota: ServiceQuota & { readonly value: number },
): object => ({
  ServiceCode: 'ec2',
  ServiceName: 'Amazon Elastic Compute Cloud (Amazon EC2)',
  QuotaArn: `arn:aws:servicequotas:${region}:${account}:ec2/${quota.code}`,
  QuotaCode: quota.code,
  QuotaName: quota.name,
  Value: quota.value,
  Unit: 'None',
  Adjustable: true,
  GlobalQuota: false,
  QuotaAppliedAtLevel: 'ACCOUNT',
});

function onlyEc2(service: string | undefined): void {
  if (service !== 'ec2')
    throw new AwsError(
      'NoSuchResourceException',
      `The simulated AWS has no quotas of ${service ?? '(none)'}.`,
    );
}

/** JSON 1.1, target `ServiceQuotasV20190624`. */
export const serviceQuotasActions: Actions = {
  ListServiceQuotas: (request) => {
    const { home, params } = request;
    onlyEc2(text(params['ServiceCode']));
    const { items, next } = page(request, home.quotas.list(), 'NextToken', 'MaxResults', 100);
    return { Quotas: items.map((quota) => shape(home, quota)), NextToken: next };
  },
  /** Granted at once, also downwards: how a story makes quotas short. */
  RequestServiceQuotaIncrease: ({ home, params }) => {
    onlyEc2(text(params['ServiceCode']));
    const { code, name, value } = home.quotas.change(
      text(params['QuotaCode']) ?? '',
      Number(params['DesiredValue']),
    );
    return {
      RequestedQuota: {
        Id: code,
        ServiceCode: 'ec2',
        QuotaCode: code,
        QuotaName: name,
        DesiredValue: value,
        Status: 'APPROVED',
      },
    };
  },
};
