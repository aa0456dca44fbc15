import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';
import {
  AlreadyExistsException,
  CloudFormationServiceException,
  InsufficientCapabilitiesException,
  LimitExceededException,
} from '@aws-sdk/client-cloudformation';
import { EC2ServiceException } from '@aws-sdk/client-ec2';
import { TargetGroupNotFoundException } from '@aws-sdk/client-elastic-load-balancing-v2';
import { InvalidCiphertextException } from '@aws-sdk/client-kms';
import { NoSuchBucket } from '@aws-sdk/client-s3';
import { ExpiredTokenException, STSServiceException } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { FailureError, type FailureClass } from '#kernel';
import { classify } from './classify.js';

const meta = (httpStatusCode: number) => ({ $metadata: { httpStatusCode, requestId: 'r' } });
const cfn = (name: string, message: string, code = 400) =>
  new CloudFormationServiceException({ name, message, $fault: 'client', ...meta(code) });
const asg = (name: string, message: string, code = 400) =>
  new AutoScalingServiceException({ name, message, $fault: 'client', ...meta(code) });
const ec2 = (name: string, message: string, code = 400) =>
  new EC2ServiceException({ name, message, $fault: 'client', ...meta(code) });
const html = (status: number, $responseBodyText: string) =>
  Object.assign(new Error('@aws-sdk XML parse error: mismatched tags.\n  Deserialization error: to see …'), {
    $responseBodyText,
    ...meta(status),
  });
const network = (code: string, message = code) => Object.assign(new Error(message), { code });

const TABLE: readonly (readonly [string, unknown, FailureClass, string])[] = [
  ['Throttling', cfn('Throttling', 'Rate exceeded'), 'throttled', 'aws-throttled'],
  ['ThrottlingException', asg('ThrottlingException', 'Rate exceeded'), 'throttled', 'aws-throttled'],
  [
    'RequestLimitExceeded',
    ec2('RequestLimitExceeded', 'Request limit exceeded.', 503),
    'throttled',
    'aws-throttled',
  ],
  ['SlowDown', ec2('SlowDown', 'Please reduce your request rate.', 503), 'throttled', 'aws-throttled'],
  [
    'AccessDenied',
    cfn(
      'AccessDenied',
      'User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:DescribeStacks',
      403,
    ),
    'denied',
    'aws-denied',
  ],
  ['AccessDeniedException', asg('AccessDeniedException', 'not authorized', 400), 'denied', 'aws-denied'],
  [
    'UnauthorizedOperation',
    ec2(
      'UnauthorizedOperation',
      'You are not authorized to perform this operation. Encoded authorization failure message: …',
      403,
    ),
    'denied',
    'aws-denied',
  ],
  [
    'ExpiredToken',
    cfn('ExpiredToken', 'The security token included in the request is expired', 403),
    'denied',
    'aws-credentials-invalid',
  ],
  [
    'ExpiredTokenException',
    new ExpiredTokenException({ message: 'expired', ...meta(400) }),
    'denied',
    'aws-credentials-invalid',
  ],
  [
    'InvalidClientTokenId',
    new STSServiceException({
      name: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
      $fault: 'client',
      ...meta(403),
    }),
    'denied',
    'aws-credentials-invalid',
  ],
  [
    'no credentials',
    Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    }),
    'denied',
    'aws-credentials-invalid',
  ],
  ['clock', cfn('RequestExpired', 'Request has expired.'), 'denied', 'aws-clock-skewed'],
  [
    'stack missing',
    cfn('ValidationError', 'Stack with id nodepool-a does not exist'),
    'conflict',
    'stack-missing',
  ],
  [
    'stack events missing',
    cfn('ValidationError', 'Stack [nodepool-a] does not exist'),
    'conflict',
    'stack-missing',
  ],
  ['no updates', cfn('ValidationError', 'No updates are to be performed.'), 'conflict', 'no-changes'],
  [
    'busy',
    cfn(
      'ValidationError',
      'Stack:arn:aws:cloudformation:eu-central-1:1:stack/a/b is in UPDATE_IN_PROGRESS state and can not be updated.',
    ),
    'conflict',
    'stack-busy',
  ],
  [
    'rolled back',
    cfn(
      'ValidationError',
      'Stack:arn:aws:cloudformation:eu-central-1:1:stack/a/b is in ROLLBACK_COMPLETE state and can not be updated.',
    ),
    'conflict',
    'stack-not-updatable',
  ],
  [
    'protected',
    cfn('ValidationError', 'Stack [a] cannot be deleted while TerminationProtection is enabled'),
    'blocked',
    'stack-protected',
  ],
  [
    'template format',
    cfn('ValidationError', 'Template format error: YAML not well-formed. (line 3, column 5)'),
    'invalid',
    'template-invalid',
  ],
  [
    'template reference',
    cfn(
      'ValidationError',
      'Template format error: Unresolved resource dependencies [Vpc] in the Resources block of the template',
    ),
    'invalid',
    'template-invalid',
  ],
  [
    'parameter missing',
    cfn('ValidationError', 'Parameters: [Ami] must have values'),
    'invalid',
    'template-invalid',
  ],
  [
    'too long inline',
    cfn(
      'ValidationError',
      "1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
    ),
    'invalid',
    'template-invalid',
  ],
  ['other validation', cfn('ValidationError', 'something new'), 'invalid', 'aws-invalid'],
  [
    'capability',
    new InsufficientCapabilitiesException({
      message: 'Requires capabilities : [CAPABILITY_AUTO_EXPAND]',
      ...meta(400),
    }),
    'invalid',
    'capability-missing',
  ],
  [
    'already exists',
    new AlreadyExistsException({ message: 'ChangeSet x already exists', ...meta(400) }),
    'conflict',
    'already-exists',
  ],
  [
    'stack quota',
    new LimitExceededException({ message: 'Limit for stack has been exceeded', ...meta(400) }),
    'blocked',
    'aws-quota',
  ],
  [
    'change set gone',
    cfn('ChangeSetNotFound', 'ChangeSet [x] does not exist', 404),
    'conflict',
    'change-set-missing',
  ],
  [
    'change set used',
    cfn(
      'InvalidChangeSetStatus',
      'ChangeSet [x] cannot be executed in its current status of [CREATE_FAILED]',
    ),
    'conflict',
    'change-set-obsolete',
  ],
  [
    'group missing',
    asg('ValidationError', 'AutoScalingGroup name not found - AutoScalingGroup: a not found'),
    'conflict',
    'group-missing',
  ],
  [
    'above max',
    asg('ValidationError', 'New SetDesiredCapacity value 5 is above max value 4 for the AutoScalingGroup.'),
    'conflict',
    'capacity-out-of-bounds',
  ],
  [
    'at min',
    asg(
      'ValidationError',
      "Currently, desiredSize equals minSize (2). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
    ),
    'conflict',
    'group-at-min-size',
  ],
  [
    'instance unknown',
    asg('ValidationError', 'Instance Id not found - No managed instance found for instance ID: i-0abc'),
    'conflict',
    'instance-missing',
  ],
  [
    'not in service',
    asg('ValidationError', 'The instance i-0abc is not in InService or EnteringStandby or Standby.'),
    'conflict',
    'instance-not-in-service',
  ],
  ['scaling', asg('ScalingActivityInProgress', 'Activity x is in progress.'), 'conflict', 'aws-busy'],
  ['contention', asg('ResourceContention', 'You already have a pending update'), 'conflict', 'aws-busy'],
  [
    'no capacity',
    ec2('InsufficientInstanceCapacity', 'We currently do not have sufficient m5.large capacity', 500),
    'blocked',
    'aws-capacity',
  ],
  [
    'vcpu quota',
    ec2('VcpuLimitExceeded', 'You have requested more vCPU capacity than your current vCPU limit'),
    'blocked',
    'aws-quota',
  ],
  [
    'subnet',
    ec2('InsufficientFreeAddressesInSubnet', 'Insufficient free addresses'),
    'blocked',
    'subnet-full',
  ],
  [
    'instance id',
    ec2('InvalidInstanceID.NotFound', "The instance ID 'i-1' does not exist"),
    'conflict',
    'aws-missing',
  ],
  ['malformed id', ec2('InvalidAMIID.Malformed', 'Invalid id: "x"'), 'conflict', 'aws-missing'],
  [
    'target group',
    new TargetGroupNotFoundException({ message: 'One or more target groups not found', ...meta(400) }),
    'conflict',
    'aws-missing',
  ],
  [
    'bucket',
    new NoSuchBucket({ message: 'The specified bucket does not exist', ...meta(404) }),
    'conflict',
    'aws-missing',
  ],
  [
    'cipher',
    new InvalidCiphertextException({ message: 'UnknownError', ...meta(400) }),
    'invalid',
    'cipher-text-invalid',
  ],
  ['internal', asg('InternalFailure', 'An internal error has occurred', 500), 'transient', 'aws-error'],
  [
    'unavailable',
    ec2('Unavailable', 'The service is unavailable. Please try again shortly.', 503),
    'transient',
    'aws-error',
  ],
  ['no such action', cfn('InvalidAction', 'Could not find operation X'), 'denied', 'aws-action-unsupported'],
  [
    'not implemented',
    cfn(
      'InternalFailure',
      "API action 'ContinueUpdateRollback' for service 'cloudformation' not yet implemented",
      501,
    ),
    'denied',
    'aws-action-unsupported',
  ],
  ['new 5xx', cfn('SomethingNew', 'oops', 502), 'transient', 'aws-error'],
  [
    'HTML 503',
    Object.assign(
      new Error(
        '@aws-sdk XML parse error: mismatched tags <html> and </title>.\n  Deserialization error: to see the raw response, inspect the hidden field {error}.$response on this object.',
      ),
      { $metadata: { httpStatusCode: 503 }, $response: { statusCode: 503, headers: { 'retry-after': '5' } } },
    ),
    'transient',
    'aws-answer-unreadable',
  ],
  [
    'HTML 200',
    Object.assign(new SyntaxError('Unexpected token < in JSON at position 0'), {
      $response: { statusCode: 200 },
    }),
    'transient',
    'aws-answer-unreadable',
  ],
  ['refused', network('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'), 'transient', 'aws-unreachable'],
  [
    'reset',
    Object.assign(network('ECONNRESET', 'read ECONNRESET'), { $metadata: { attempts: 2 } }),
    'transient',
    'aws-unreachable',
  ],
  [
    'timeout',
    Object.assign(new Error('Connection timed out after 5000 ms'), { name: 'TimeoutError' }),
    'transient',
    'aws-unreachable',
  ],
  [
    'no such host',
    network('ENOTFOUND', 'getaddrinfo ENOTFOUND ec2.eu-nowhere-1.amazonaws.com'),
    'transient',
    'aws-unreachable',
  ],
  ['TLS', network('SELF_SIGNED_CERT_IN_CHAIN'), 'denied', 'aws-tls-untrusted'],
  ['unknown 403', cfn('BrandNew', 'no', 403), 'denied', 'aws-denied'],
  ['unknown 4xx', cfn('BrandNew', 'teapot', 418), 'bug', 'aws-error-unknown'],
  ['our mistake', new TypeError('x is not a function'), 'bug', 'aws-error-unknown'],
];

describe('classify', () => {
  it.each(TABLE)('%s', (_name, thrown, kind, code) => {
    const failure = classify(thrown, 'cloudformation DescribeStacks in 123456789012/eu-central-1');
    expect({ class: failure.class, code: failure.code }).toEqual({ class: kind, code });
    expect(failure.message).toContain('cloudformation DescribeStacks in 123456789012/eu-central-1');
  });

  it('keeps a failure that is classified already', () => {
    const failure = { class: 'invalid', code: 'x', message: 'y' } as const;
    expect(classify(new FailureError(failure), 'z')).toBe(failure);
  });

  it('carries Retry-After', () => {
    const html = TABLE.find(([name]) => name === 'HTML 503')?.[1];
    expect(classify(html, 'x').retryAfterMs).toBe(5000);
  });

  it('shows what came instead of an answer, without its markup, and says when it was not from AWS', () => {
    const body =
      '<!doctype html><title>500 Oops</title><style>h1 { x: y }</style><h1>Internal Error</h1><p>Sorry.</p>';
    const failure = classify(html(500, body), 'cloudformation Fancy in 1/eu', 'emulator:4566');
    expect(failure.message).toBe(
      'cloudformation Fancy in 1/eu: HTTP 500 with what is no answer of AWS: "Internal Error Sorry."',
    );
    expect(failure.hint).toContain('emulator:4566');
    expect(classify(html(502, ''), 'x', undefined).hint).toBeUndefined();
  });
});
