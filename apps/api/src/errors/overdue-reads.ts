import type { NextFunction, Request, Response } from 'express';
import type { Duration } from '#kernel';
import { ApiError } from './api-error.js';
import { writeError } from './write-error.js';

/**
 * Answers a read that takes too long (a database that hangs, say) with 503. Writes are left alone: whether they took effect
 * is only known at their end.
 */
export const overdueReads =
  (limit: Duration) =>
  (request: Request, response: Response, next: NextFunction): void => {
    if (request.method === 'GET') {
      const timer = setTimeout(() => {
        if (response.headersSent) return;
        const words = `no answer within ${limit / 1_000} s: the database may be overloaded or away`;
        writeError(
          new ApiError(
            503,
            'overdue',
            words,
            'Try again in a moment; /readyz tells whether the database answers.',
          ),
          request,
          response,
        );
      }, limit);
      response.once('close', () => clearTimeout(timer));
    }
    next();
  };
