import { FailureError } from '#kernel';

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  /** A plan or diff found something to do. */
  changesPending: 3,
  /** What was waited for is blocked, held or failed. */
  blocked: 4,
  conflict: 5,
} as const;

/** Trouble that a command ends with: shown without a stack. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.error,
    readonly hint?: string,
    /** Of the HTTP answer, where Fairway itself gave it. */
    readonly status?: number,
  ) {
    super(message);
  }
}

/** A typed failure of a port in words; undefined for what nobody foresaw. */
export function commandErrorOf(thrown: unknown): CommandError | undefined {
  if (!(thrown instanceof FailureError)) return undefined;
  const { failure } = thrown;
  const details = (failure.details ?? []).slice(0, 20).map(({ message }) => `\n  ${message}`);
  return new CommandError(
    details.length > 1 ? `${failure.code}:${details.join('')}` : failure.message,
    failure.class === 'conflict' ? EXIT.conflict : EXIT.error,
    failure.hint,
  );
}
