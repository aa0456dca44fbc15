import type { Instant } from '#kernel';
import type { Cancel } from '../time/scheduler.js';
import { integer, list, props, tagRecord, text, type Props } from './props.js';

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'draining';

export interface Target {
  readonly instanceId: string;
  readonly port: number;
  state: TargetState;
  /** Checks in a row. */
  passed: number;
  failed: number;
  drainedAt?: Instant;
  /** Takes back the next check or the end of draining. */
  cancel: Cancel;
}

export interface TargetGroupSettings {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly targetType: string;
  readonly healthCheck: { readonly protocol: string; readonly port: string; readonly path: string };
  healthyThreshold: number;
  unhealthyThreshold: number;
  /** Seconds. */
  deregistrationDelay: number;
  readonly tags: Record<string, string>;
}

export interface TargetGroup extends TargetGroupSettings {
  readonly arn: string;
  readonly vpcId: string;
  readonly targets: Map<string, Target>;
}

export interface LoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly scheme: 'internal' | 'internet-facing';
  readonly type: 'network' | 'application';
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly createdAt: Instant;
  readonly tags: Record<string, string>;
  state: 'provisioning' | 'active';
}

export interface Listener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: string;
  targetGroupArns: readonly string[];
}

const REASONS: Readonly<Record<TargetState, { reason: string; description: string } | undefined>> = {
  initial: { reason: 'Elb.RegistrationInProgress', description: 'Target registration is in progress' },
  healthy: undefined,
  unhealthy: { reason: 'Target.FailedHealthChecks', description: 'Health checks failed' },
  draining: {
    reason: 'Target.DeregistrationInProgress',
    description: 'Target deregistration is in progress',
  },
};

export const healthReason = (state: TargetState): { reason: string; description: string } | undefined =>
  REASONS[state];
export const healthWord = (state: TargetState): string => REASONS[state]?.description ?? state;

/** Reads a template's properties or a call's parameters. */
export function targetGroupSettings(input: Props, name: string): TargetGroupSettings {
  const attributes = tagRecord(input['TargetGroupAttributes']);
  return {
    name,
    protocol: text(input['Protocol']) ?? 'TCP',
    port: integer(input['Port']) ?? 443,
    targetType: text(input['TargetType']) ?? 'instance',
    healthCheck: {
      protocol: text(input['HealthCheckProtocol']) ?? 'TCP',
      port: text(input['HealthCheckPort']) ?? 'traffic-port',
      path: text(input['HealthCheckPath']) ?? '/',
    },
    healthyThreshold: integer(input['HealthyThresholdCount']) ?? 3,
    unhealthyThreshold: integer(input['UnhealthyThresholdCount']) ?? 3,
    deregistrationDelay: integer(attributes['deregistration_delay.timeout_seconds']) ?? 300,
    tags: tagRecord(input['Tags']),
  };
}

/** Target groups that a listener forwards to. */
export const forwardTargets = (actions: unknown): readonly string[] =>
  list(actions).flatMap((item) => {
    const action = props(item);
    const several = list(props(action['ForwardConfig'])['TargetGroups']).map((group) =>
      text(props(group)['TargetGroupArn']),
    );
    return [text(action['TargetGroupArn']), ...several].filter((arn): arn is string => arn !== undefined);
  });
