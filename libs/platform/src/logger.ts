import { pino, type Logger } from 'pino';

/** Structurally the ports' LogPort. */
export interface FieldLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Names whose values never reach a log, at any depth that our fields have. */
const SECRET_PATHS = ['token', 'password', 'secret', 'authorization', 'userData', 'decrypted'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

/** JSON lines on standard error (standard output belongs to what a command prints). */
export function createLog(
  level: string,
  bindings: Readonly<Record<string, string>> = {},
  destination?: { write(line: string): void },
): FieldLog {
  const options = { level, redact: { paths: SECRET_PATHS, censor: '[redacted]' }, base: bindings };
  const logger: Logger = destination
    ? pino(options, destination)
    : pino(options, pino.destination({ dest: 2, sync: true }));
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
