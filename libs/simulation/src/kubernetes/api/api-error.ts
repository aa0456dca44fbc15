export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A refused request, as kube-apiserver words it. On the wire it becomes a `metav1.Status`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status code. */
  readonly status: number;
  /** `metav1.StatusReason`, for example `Conflict`; empty where the server gives none. */
  readonly reason: string;
  readonly details?: StatusDetails;
  /** Becomes the Retry-After header as well. */
  readonly retryAfterSeconds?: number;

  constructor(
    status: number,
    reason: string,
    message: string,
    options: { details?: StatusDetails; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    if (options.details) this.details = options.details;
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export function toStatus(error: ApiError): StatusBody {
  const details = error.retryAfterSeconds
    ? { ...error.details, retryAfterSeconds: error.retryAfterSeconds }
    : error.details;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason && { reason: error.reason }),
    ...(details && { details }),
    code: error.status,
  };
}

interface Target {
  readonly resource: string;
  readonly group: string;
}

const qualified = (target: Target): string =>
  target.group === '' ? target.resource : `${target.resource}.${target.group}`;

const detailsOf = (target: Target, name: string): StatusDetails => ({
  ...(name && { name }),
  ...(target.group && { group: target.group }),
  kind: target.resource,
});

export const notFound = (target: Target, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${qualified(target)} "${name}" not found`, {
    details: detailsOf(target, name),
  });

export const alreadyExists = (target: Target, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${qualified(target)} "${name}" already exists`, {
    details: detailsOf(target, name),
  });

export const conflict = (target: Target, name: string, why: string): ApiError =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(target)} "${name}": ${why}`, {
    details: detailsOf(target, name),
  });

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export const forbidden = (
  target: Target,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): ApiError =>
  new ApiError(403, 'Forbidden', `${qualified(target)} "${name}" is forbidden: ${why}`, {
    details: { ...detailsOf(target, name), ...(causes && { causes }) },
  });

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);

export const tooManyRequests = (
  message: string,
  retryAfterSeconds: number,
  causes?: readonly StatusCause[],
): ApiError =>
  new ApiError(429, 'TooManyRequests', message, {
    retryAfterSeconds,
    ...(causes && { details: { causes } }),
  });

export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message);

export const methodNotAllowed = (resource: string): ApiError =>
  new ApiError(405, 'MethodNotAllowed', `the server does not allow this method on the requested resource`, {
    details: { kind: resource },
  });

/** 422 with one cause per fault; the message is the aggregate that kubectl prints. */
export function invalid(kind: string, group: string, name: string, faults: readonly StatusCause[]): ApiError {
  const texts = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const aggregate = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const target = group === '' ? kind : `${kind}.${group}`;
  return new ApiError(422, 'Invalid', `${target} "${name}" is invalid: ${aggregate}`, {
    details: { ...(name && { name }), ...(group && { group }), kind, causes: faults },
  });
}
