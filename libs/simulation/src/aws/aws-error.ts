/** An error answer of the simulated cloud, in AWS's own codes and words. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  constructor(
    readonly code: string,
    message: string,
    /** HTTP status of the answer. */
    readonly status: number = 400,
  ) {
    super(message);
  }
}

/** The action took effect, but the caller never hears of it: the wire cuts the connection. */
export class DroppedReply extends Error {
  override readonly name = 'DroppedReply';
}

export const validationError = (message: string): AwsError => new AwsError('ValidationError', message);

/** AWS has as many names for "no" as services. */
export function accessDenied(service: string, principal: string, action: string): AwsError {
  const message = `User: ${principal} is not authorized to perform: ${service}:${action}`;
  if (service === 'ec2') {
    return new AwsError(
      'UnauthorizedOperation',
      `You are not authorized to perform this operation. ${message}`,
      403,
    );
  }
  if (service === 'kms' || service === 'servicequotas')
    return new AwsError('AccessDeniedException', message, 400);
  return new AwsError('AccessDenied', message, 403);
}

export function throttled(service: string): AwsError {
  if (service === 'ec2') return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503);
  if (service === 's3') return new AwsError('SlowDown', 'Please reduce your request rate.', 503);
  if (service === 'kms') return new AwsError('ThrottlingException', 'Rate exceeded', 400);
  if (service === 'servicequotas') return new AwsError('TooManyRequestsException', 'Rate exceeded', 429);
  return new AwsError('Throttling', 'Rate exceeded', 400);
}
