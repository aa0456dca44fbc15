import { HttpException } from '@nestjs/common';
import type { Failure } from '#kernel';

/** One fault of one field of a body or a query. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** An answer other than success; the filter writes it in the shape of the API that was called. */
export class ApiError extends HttpException {
  constructor(
    status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly faults: readonly FieldFault[] = [],
  ) {
    super(message, status);
  }
}

export const badRequest = (faults: readonly FieldFault[]): ApiError =>
  new ApiError(
    400,
    'invalid-request',
    faults.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; '),
    'Correct the fields and send the request again.',
    faults,
  );

export const notFound = (what: string, hint?: string): ApiError =>
  new ApiError(404, 'not-found', `${what} is not known`, hint);

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'not-found': 404,
  'already-exists': 409,
  'version-mismatch': 412,
  'cluster-not-empty': 400,
};

/** A failure of a port as an HTTP answer. */
export function fromFailure(failure: Failure): ApiError {
  const status =
    STATUS_BY_CODE[failure.code] ??
    (failure.class === 'transient' || failure.class === 'throttled'
      ? 503
      : failure.class === 'invalid'
        ? 400
        : failure.class === 'conflict'
          ? 409
          : failure.class === 'denied'
            ? 403
            : 500);
  // What a bug or a connection says of itself (addresses, names) is for the log, not for callers.
  if (status === 500) return new ApiError(status, failure.code, 'an unexpected error; it was logged');
  if (status === 503)
    return new ApiError(status, failure.code, failure.code.replaceAll('-', ' '), 'Try again in a moment.');
  return new ApiError(status, failure.code, failure.message, failure.hint);
}
