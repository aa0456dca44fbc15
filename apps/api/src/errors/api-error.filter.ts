import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  NotFoundException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { FailureError, toFailure, type Failure } from '#kernel';
import { API, type ApiRuntime } from '../api-runtime.js';
import { allowedMethods } from '../registry/contract.js';
import { ApiError, fromFailure } from './api-error.js';
import { writeError } from './write-error.js';

/** Writes every error once: the registry's `Error` on its paths, RFC 9457 problems everywhere else. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    // A stream that broke, or a read that was overdue and has been answered.
    if (response.headersSent) {
      response.end();
      return;
    }
    writeError(this.errorOf(thrown, request), request, response);
  }

  private errorOf(thrown: unknown, request: Request): ApiError {
    if (thrown instanceof ApiError) return thrown;
    if (thrown instanceof NotFoundException) return this.noRoute(request);
    if (thrown instanceof FailureError) {
      const error = fromFailure(thrown.failure);
      if (error.getStatus() === 500) this.log(thrown, request);
      if (error.getStatus() === 503) this.logAway(thrown.failure, request);
      return error;
    }
    const status = statusOf(thrown);
    if (status === undefined || status >= 500) {
      this.log(thrown, request);
      return new ApiError(500, 'internal-error', 'an unexpected error; it was logged');
    }
    return new ApiError(
      status,
      CODES[status] ?? 'invalid-request',
      MESSAGES[status] ?? (thrown as Error).message,
    );
  }

  private noRoute(request: Request): ApiError {
    const methods = allowedMethods(request.path);
    return methods.length > 0
      ? new ApiError(
          405,
          'method-not-allowed',
          `${request.method} is not allowed here`,
          `Allowed: ${methods.join(', ')}.`,
        )
      : new ApiError(404, 'not-found', `there is no ${request.method} ${request.path}`);
  }

  private logAway(failure: Failure, request: Request): void {
    this.api.log.warn('request met something that is away', {
      method: request.method,
      path: request.path,
      code: failure.code,
      reason: failure.message,
    });
  }

  private log(thrown: unknown, request: Request): void {
    this.api.log.error('request failed', {
      method: request.method,
      path: request.path,
      reason: toFailure(thrown).message,
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
  }
}

const CODES: Readonly<Record<number, string>> = {
  404: 'not-found',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};
const MESSAGES: Readonly<Record<number, string>> = { 413: 'the body is larger than 1 MiB' };

/** Nest's exceptions and the body parser's (`http-errors`) both carry a status. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined;
}
