/**
 * Why a template failed.
 * - `parse` the text is no template
 * - `exec` an action could not be evaluated
 * - `limit` it would take more steps, output, depth or time than allowed
 * - `skipped` it was not begun, because other files have used up what one render may use
 */
export type TemplateErrorKind = 'parse' | 'exec' | 'limit' | 'skipped';

export interface TemplateErrorPlace {
  /** Name of the parsed file. */
  readonly file: string;
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1, counted in bytes as Go does; absent for parse errors, of which Go names only the line. */
  readonly column?: number;
  /** The action's text as Go prints it. */
  readonly context?: string;
}

/** The message is Go's: `template: file:line:column: executing "name" at <action>: reason`. Its text is UTF-8 text, not bytes. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(
    readonly kind: TemplateErrorKind,
    message: string,
    /** The reason alone, without place. */
    readonly reason: string,
    readonly place: TemplateErrorPlace,
    /** Other keys that this template names and that the map does not have either; some may be in branches not taken. */
    readonly alsoMissing: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Thrown by functions and methods; the evaluator adds the place. The text is a byte string. */
export class CallError extends Error {
  override readonly name = 'CallError';
}

/** Thrown where a budget is spent; the evaluator adds the place. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}

export const callError = (message: string): never => {
  throw new CallError(message);
};
