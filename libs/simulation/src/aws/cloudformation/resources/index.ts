import { text } from '../../props.js';
import { autoScalingGroupResource, launchTemplateResource } from './compute.resource.js';
import { listenerResource, loadBalancerResource, targetGroupResource } from './load-balancing.resource.js';
import { opaqueResource } from './opaque.resource.js';
import type { ResourceType } from './resource-type.js';

const bucketResource: ResourceType = {
  replaceOn: ['BucketName'],
  create(context, properties) {
    const { account, region, objects } = context.aws;
    const name = text(properties['BucketName']) ?? context.generatedName(63).toLowerCase();
    objects.createBucket(account, region, name);
    const domain = `${name}.s3.amazonaws.com`;
    const regional = `${name}.s3.${region}.amazonaws.com`;
    return {
      physicalId: name,
      attributes: { Arn: `arn:aws:s3:::${name}`, DomainName: domain, RegionalDomainName: regional },
    };
  },
  update: (_context, state) => state,
  delete: (context, state) => context.aws.objects.deleteBucket(context.aws.account, state.physicalId),
};

const keyResource: ResourceType = {
  replaceOn: [],
  create(context) {
    const key = context.aws.kms.createKey();
    return { physicalId: key.id, attributes: { Arn: key.arn, KeyId: key.id } };
  },
  update: (_context, state) => state,
  delete: () => undefined,
};

const KNOWN: Readonly<Record<string, ResourceType>> = {
  'AWS::EC2::LaunchTemplate': launchTemplateResource,
  'AWS::AutoScaling::AutoScalingGroup': autoScalingGroupResource,
  'AWS::ElasticLoadBalancingV2::TargetGroup': targetGroupResource,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': loadBalancerResource,
  'AWS::ElasticLoadBalancingV2::Listener': listenerResource,
  'AWS::S3::Bucket': bucketResource,
  'AWS::KMS::Key': keyResource,
};

/** The handler of a type; types without behaviour of their own exist as opaque resources. */
export const resourceType = (type: string): ResourceType => KNOWN[type] ?? opaqueResource;
