/** A node pool and its load balancer, in the short forms that people write. */
export const poolTemplate = `
Description: A node pool
Parameters:
  Image: { Type: String }
  Size: { Type: Number, Default: 3 }
  Subnets: { Type: 'List<AWS::EC2::Subnet::Id>' }
Conditions:
  Big: !Not [!Equals [!Ref Size, '1']]
Resources:
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: !Ref Size
      MaxSize: 6
      VPCZoneIdentifier: !Ref Subnets
      LaunchTemplate:
        LaunchTemplateId: !Ref Template
        Version: !GetAtt Template.LatestVersionNumber
      TargetGroupARNs: [!Ref Targets]
      Tags:
        - Key: kubernetes.io/cluster/aws:123456789012:eu-central-1:kube-1
          Value: owned
          PropagateAtLaunch: true
        - { Key: kubernetes.io/node-pool, Value: !If [Big, workers, lonely], PropagateAtLaunch: true }
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: !Ref Image
        InstanceType: m5.large
        IamInstanceProfile: { Name: !Ref Profile }
        UserData:
          Fn::Base64: !Sub |
            #!/bin/sh
            echo \${AWS::StackName} \${Image}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: { Port: 6443, Protocol: TCP, VpcId: !Select [0, !Split [',', 'vpc-1,vpc-2']] }
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: { Type: network, Scheme: internal, Subnets: !Ref Subnets }
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 443
      Protocol: TCP
      DefaultActions: [{ Type: forward, TargetGroupArn: !Ref Targets }]
  Role:
    Type: AWS::IAM::Role
    Properties: { RoleName: !Sub '\${AWS::StackName}-worker' }
  Profile:
    Type: AWS::IAM::InstanceProfile
    Properties: { Roles: [!Ref Role] }
Outputs:
  GroupName: { Value: !Ref Group, Export: { Name: !Sub '\${AWS::StackName}:group' } }
  Endpoint: { Value: !GetAtt Balancer.DNSName }
`;
