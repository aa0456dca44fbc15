import type { LoggerService } from '@nestjs/common';
import type { FieldLog } from './logger.js';

/** Nest's own messages in our log: its chatter as debug, its errors as errors. */
export function nestLogger(log: FieldLog): LoggerService {
  const fields = (rest: readonly unknown[]): Record<string, unknown> => ({
    context: typeof rest.at(-1) === 'string' ? rest.at(-1) : undefined,
  });
  return {
    log: (message: unknown, ...rest: unknown[]) =>
      log.debug('nest', { ...fields(rest), message: String(message) }),
    debug: (message: unknown, ...rest: unknown[]) =>
      log.debug('nest', { ...fields(rest), message: String(message) }),
    verbose: (message: unknown, ...rest: unknown[]) =>
      log.debug('nest', { ...fields(rest), message: String(message) }),
    warn: (message: unknown, ...rest: unknown[]) =>
      log.warn('nest', { ...fields(rest), message: String(message) }),
    error: (message: unknown, ...rest: unknown[]) =>
      log.error('nest', { ...fields(rest), message: String(message) }),
    fatal: (message: unknown, ...rest: unknown[]) =>
      log.error('nest', { ...fields(rest), message: String(message) }),
  };
}
