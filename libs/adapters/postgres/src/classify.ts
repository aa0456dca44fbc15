import { FailureError, type Failure } from '#kernel';

/** What `pg` says of an error, as far as it is known. Codes: PostgreSQL manual, appendix A; Node's `errno` names. */
interface DriverError {
  readonly code?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly table?: string;
  readonly constraint?: string;
  readonly column?: string;
  readonly driverError?: unknown;
  readonly errors?: readonly unknown[];
}

const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25006',
  '25P03',
]);

/** Texts of `pg` and `pg-pool`, which throw plain errors without a code. */
const UNREACHABLE_TEXT =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable|Query runner already released|after calling end on the pool/i;

/** The one place where an error of the database becomes a failure. What it does not know is a bug. */
export function classify(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const error = unwrap(thrown);
  const code = error.code ?? '';
  return constraintFailure(code, error) ?? serverFailure(code, error) ?? unknownFailure(code, error);
}

export const classified = (thrown: unknown): FailureError =>
  thrown instanceof FailureError ? thrown : new FailureError(classify(thrown), { cause: thrown });

/** TypeORM wraps driver errors; a refused connection to a name with two addresses is an AggregateError. */
function unwrap(thrown: unknown): DriverError {
  if (typeof thrown !== 'object' || thrown === null) return { message: String(thrown) };
  const error = thrown as DriverError;
  if (error.driverError !== undefined) return unwrap(error.driverError);
  if (error.code === undefined && error.errors?.length) return unwrap(error.errors[0]);
  return error;
}

function constraintFailure(code: string, error: DriverError): Failure | undefined {
  const key = /^Key \((.+?)\)=\((.*)\) /.exec(error.detail ?? '');
  const field = key?.[1] ?? error.column ?? error.constraint ?? 'value';
  const what = `${field} "${key?.[2] ?? ''}"`;
  switch (code) {
    case '23505':
      return {
        class: 'invalid',
        code: 'already-exists',
        message: `${what} already exists in ${error.table ?? 'the database'}`,
        hint: 'Choose another value, or change the record that has it.',
        place: { field },
      };
    case '23503':
      return error.detail?.includes('is still referenced')
        ? { class: 'invalid', code: 'still-referenced', message: `${what} is still used by other records` }
        : { class: 'invalid', code: 'not-found', message: `${what} does not exist`, place: { field } };
    case '23514':
      return {
        class: 'invalid',
        code: 'value-refused',
        message: error.message ?? 'a check refused the value',
      };
    case '22P02':
    case '22P05':
    case '22001':
    case '22003':
    case '22021':
      return { class: 'invalid', code: 'unstorable-value', message: error.message ?? 'unstorable value' };
    default:
      return undefined;
  }
}

function serverFailure(code: string, error: DriverError): Failure | undefined {
  const message = error.message ?? code;
  if (UNREACHABLE_CODES.has(code) || code.startsWith('08') || (!code && UNREACHABLE_TEXT.test(message))) {
    return { class: 'transient', code: 'database-unreachable', message: `the database is away: ${message}` };
  }
  if (code === '40001' || code === '40P01' || code === '55P03') {
    return { class: 'transient', code: 'database-contention', message };
  }
  if (code === '57014') return { class: 'transient', code: 'database-timeout', message };
  if (code.startsWith('53')) return { class: 'transient', code: 'database-exhausted', message };
  if (code === '42P01' || code === '42703') {
    return {
      class: 'transient',
      code: 'schema-outdated',
      message,
      hint: 'Run the migrations (`fairway admin migrate`).',
    };
  }
  if (code.startsWith('28') || code === '42501' || code === '3D000') {
    return {
      class: 'denied',
      code: 'database-denied',
      message,
      hint: 'Check user, password, database name and rights of the database URL.',
    };
  }
  return undefined;
}

const unknownFailure = (code: string, error: DriverError): Failure => ({
  class: 'bug',
  code: 'database-error',
  message: `${code ? `${code}: ` : ''}${error.message ?? 'unknown error'}`,
});
