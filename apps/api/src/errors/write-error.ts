import type { Request, Response } from 'express';
import { problemType } from '#fleet';
import { allowedMethods } from '../registry/contract.js';
import type { ApiError } from './api-error.js';

/** In the shape of the API that was called: the registry's `Error` on its paths, RFC 9457 problems everywhere else. */
export function writeError(error: ApiError, request: Request, response: Response): void {
  const status = error.getStatus();
  response.status(status);
  if (status === 405) response.setHeader('Allow', allowedMethods(request.path).join(', '));
  if (status === 503) response.setHeader('Retry-After', '5');
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="fairway"');
  if (isRegistryPath(request.path)) {
    response.json({
      code: status,
      message: error.hint === undefined ? error.message : `${error.message} (${error.hint})`,
      fields: error.faults.map(({ field }) => field).join(','),
    });
    return;
  }
  response.type('application/problem+json').json({
    type: problemType(error.code),
    title: error.code.replaceAll('-', ' '),
    status,
    detail: error.message,
    instance: request.path,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.faults.length > 0 && { errors: error.faults }),
  });
}

const isRegistryPath = (path: string): boolean =>
  path.startsWith('/kubernetes-clusters') || path.startsWith('/infrastructure-accounts');
