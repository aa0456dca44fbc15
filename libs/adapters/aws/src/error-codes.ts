import type { FailureClass } from '#kernel';

/** Class, code and hint of a failure. */
export type Verdict = readonly [FailureClass, string, string?];

/** Error codes of the services, exactly as they come. */
export const BY_NAME: Readonly<Record<string, Verdict>> = {
  ...named(
    ['throttled', 'aws-throttled'],
    [
      'Throttling',
      'ThrottlingException',
      'ThrottledException',
      'RequestThrottled',
      'RequestThrottledException',
      'TooManyRequestsException',
      'RequestLimitExceeded',
      'EC2ThrottledException',
      'BandwidthLimitExceeded',
      'PriorRequestNotComplete',
      'SlowDown',
    ],
  ),
  ...named(
    ['denied', 'aws-denied', 'Grant the action to the role that Fairway assumes in the account.'],
    [
      'AccessDenied',
      'AccessDeniedException',
      'DependencyAccessDeniedException',
      'UnauthorizedOperation',
      'UnauthorizedException',
      'NotAuthorized',
      'OptInRequired',
      'AllAccessDisabled',
      'KMSAccessDeniedException',
    ],
  ),
  ...named(
    ['denied', 'aws-credentials-invalid', "Fairway's AWS credentials are expired, unknown or missing."],
    [
      'AuthFailure',
      'ExpiredToken',
      'ExpiredTokenException',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
      'InvalidToken',
      'InvalidIdentityToken',
      'InvalidSecurity',
      'UnrecognizedClientException',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
      'TokenRefreshRequired',
      'CredentialsProviderError',
      'TokenProviderError',
      'IncompleteSignature',
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
    ],
  ),
  ...named(
    ['denied', 'aws-clock-skewed', "This machine's clock differs from AWS's by minutes; correct it."],
    ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'],
  ),
  ...named(
    ['denied', 'aws-region-disabled', 'Enable the region for the account.'],
    ['RegionDisabledException'],
  ),
  ...named(
    [
      'blocked',
      'aws-capacity',
      'AWS has no such capacity now: wait, or allow more instance types and zones.',
    ],
    [
      'InsufficientInstanceCapacity',
      'InsufficientHostCapacity',
      'InsufficientReservedInstanceCapacity',
      'InsufficientCapacity',
      'SpotMaxPriceTooLow',
      'Unsupported',
    ],
  ),
  ...named(
    ['blocked', 'aws-quota', 'Raise the quota of the account, or free what is not needed.'],
    [
      'InstanceLimitExceeded',
      'VcpuLimitExceeded',
      'MaxSpotInstanceCountExceeded',
      'LimitExceeded',
      'LimitExceededException',
      'ResourceLimitExceeded',
      'ServiceQuotaExceededException',
      'TooManyBuckets',
      'TooManyTags',
    ],
  ),
  ...named(
    ['blocked', 'subnet-full', 'The subnet has no free addresses.'],
    ['InsufficientFreeAddressesInSubnet'],
  ),
  ...named(
    ['conflict', 'already-exists'],
    ['AlreadyExists', 'AlreadyExistsException', 'BucketAlreadyOwnedByYou'],
  ),
  ...named(
    ['invalid', 'bucket-taken', 'Another account owns a bucket of this name; configure another name.'],
    ['BucketAlreadyExists'],
  ),
  ...named(
    ['conflict', 'aws-busy'],
    [
      'ResourceContention',
      'ResourceInUse',
      'ResourceInUseException',
      'ScalingActivityInProgress',
      'OperationAborted',
      'OperationInProgressException',
      'OperationIdAlreadyExistsException',
      'InvalidOperationException',
      'ConflictException',
      'StaleRequest',
      'IncorrectState',
      'IncorrectInstanceState',
    ],
  ),
  ...named(
    ['conflict', 'change-set-obsolete'],
    ['InvalidChangeSetStatus', 'InvalidChangeSetStatusException'],
  ),
  ...named(['conflict', 'change-set-missing'], ['ChangeSetNotFound', 'ChangeSetNotFoundException']),
  ...named(
    ['invalid', 'capability-missing', 'The template needs a capability that Fairway does not grant.'],
    ['InsufficientCapabilities', 'InsufficientCapabilitiesException'],
  ),
  ...named(
    ['invalid', 'cipher-text-invalid', 'Encrypt the value again with a key of this account and region.'],
    ['InvalidCiphertextException', 'IncorrectKeyException'],
  ),
  ...named(
    ['denied', 'kms-key-unusable', 'Enable the KMS key.'],
    ['DisabledException', 'KMSInvalidStateException'],
  ),
  ...named(
    [
      'denied',
      'aws-action-unsupported',
      'The endpoint does not offer this action in the region, or it is an emulator without it.',
    ],
    [
      'ActionNotFound',
      'InvalidAction',
      'NotImplemented',
      'NotImplementedError',
      'NotImplementedException',
      'UnknownAction',
      'UnknownOperation',
      'UnknownOperationException',
    ],
  ),
  ...named(['conflict', 'object-exists'], ['PreconditionFailed']),
  ...named(
    ['conflict', 'aws-missing'],
    [
      'NoSuchBucket',
      'NoSuchKey',
      'NoSuchUpload',
      'NoSuchEntity',
      'NotFound',
      'NotFoundException',
      'NoSuchResourceException',
      'ResourceNotFoundException',
      'TargetGroupNotFound',
      'TargetGroupNotFoundException',
      'StackNotFoundException',
    ],
  ),
  ...named(
    ['transient', 'aws-error'],
    [
      'InternalFailure',
      'InternalError',
      'InternalServiceError',
      'InternalServerError',
      'InternalException',
      'ServiceUnavailable',
      'ServiceUnavailableException',
      'Unavailable',
      'KMSInternalException',
      'DependencyTimeoutException',
      'RequestTimeout',
      'RequestTimeoutException',
      'IDPCommunicationError',
    ],
  ),
  ...named(['transient', 'aws-unreachable'], ['TimeoutError', 'NetworkingError']),
  ...named(['transient', 'request-aborted'], ['AbortError']),
};

/** `ValidationError` means many things; only its words tell which. First match wins. */
export const BY_WORDS: readonly (readonly [RegExp, Verdict])[] = [
  [/^Rate exceeded/, ['throttled', 'aws-throttled']],
  [/No updates are to be performed|didn't contain changes/, ['conflict', 'no-changes']],
  [/Stack (with id|\[|:).*does not exist|Stack:.* does not exist/, ['conflict', 'stack-missing']],
  [
    /cannot be deleted while TerminationProtection is enabled/,
    ['blocked', 'stack-protected', 'Disable termination protection of the stack first.'],
  ],
  [/is in [A-Z_]*IN_PROGRESS state/, ['conflict', 'stack-busy']],
  [/is in \[?[A-Z_]+\]? (state|status)/, ['conflict', 'stack-not-updatable']],
  [
    /Template format error|Template error|Template validation error|Unresolved resource dependencies|must have values|failed to satisfy constraint|must (match pattern|contain|be one of|be a number)|do not exist in the template|Unrecognized resource type|Invalid template|Circular dependency|must be at least|TemplateURL|1 validation error detected|validation errors detected/,
    ['invalid', 'template-invalid'],
  ],
  [/AutoScalingGroup name not found|Group .* not found/i, ['conflict', 'group-missing']],
  [
    /is above max value|is below min value|max size.*less than|min size.*greater than/i,
    ['conflict', 'capacity-out-of-bounds'],
  ],
  [/violate group's min size/, ['conflict', 'group-at-min-size']],
  [/not in InService|is not in InService/i, ['conflict', 'instance-not-in-service']],
  [
    /Instance Id not found|Instance .*not found|No managed instance found|is not part of Auto Scaling group/i,
    ['conflict', 'instance-missing'],
  ],
];

export const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
]);

export const TLS = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_|EPROTO|INVALID_CA)/;

function named(verdict: Verdict, names: readonly string[]): Readonly<Record<string, Verdict>> {
  return Object.fromEntries(names.map((name) => [name, verdict]));
}
