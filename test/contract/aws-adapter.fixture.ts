/** Two pools, one on a fixed template version and one that follows `$Latest`, and a target group for the first. */
export const contractTemplate = (name: string, clusterId: string, padding: string): string => `
AWSTemplateFormatVersion: '2010-09-09'
Description: Fairway's AWS contract
Metadata:
  Padding: '${padding}'
  Tags:
    application: kubernetes
Parameters:
  Image: { Type: String }
  Vpc: { Type: String }
  Subnets: { Type: CommaDelimitedList }
  Max: { Type: Number, Default: '4' }
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateName: ${name}
      LaunchTemplateData:
        ImageId: !Ref Image
        InstanceType: m5.large
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Name: ${name}
      Port: 6443
      Protocol: TCP
      VpcId: !Ref Vpc
      TargetType: instance
      TargetGroupAttributes:
        - Key: deregistration_delay.timeout_seconds
          Value: '30'
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      AutoScalingGroupName: ${name}
      MinSize: '1'
      MaxSize: !Ref Max
      DesiredCapacity: '2'
      VPCZoneIdentifier: !Ref Subnets
      LaunchTemplate:
        LaunchTemplateId: !Ref Template
        Version: !GetAtt Template.LatestVersionNumber
      TargetGroupARNs:
        - !Ref Targets
      Tags:
        - { Key: 'kubernetes.io/cluster/${clusterId}', Value: owned, PropagateAtLaunch: true }
        - { Key: kubernetes.io/node-pool, Value: workers, PropagateAtLaunch: true }
  Floating:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      AutoScalingGroupName: ${name}-floating
      MinSize: '0'
      MaxSize: '1'
      DesiredCapacity: '0'
      VPCZoneIdentifier: !Ref Subnets
      LaunchTemplate:
        LaunchTemplateId: !Ref Template
        Version: $Latest
      Tags:
        - { Key: 'kubernetes.io/cluster/${clusterId}', Value: owned, PropagateAtLaunch: true }
        - { Key: NodePool, Value: floating, PropagateAtLaunch: true }
  Unrelated:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      AutoScalingGroupName: ${name}-etcd
      MinSize: '0'
      MaxSize: '1'
      DesiredCapacity: '0'
      VPCZoneIdentifier: !Ref Subnets
      LaunchTemplate:
        LaunchTemplateId: !Ref Template
        Version: !GetAtt Template.LatestVersionNumber
      Tags:
        - { Key: 'kubernetes.io/cluster/${clusterId}', Value: owned, PropagateAtLaunch: true }
Outputs:
  GroupName:
    Value: !Ref Group
`;
