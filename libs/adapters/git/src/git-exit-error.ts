/** A Git process that ended badly. Inside of this adapter only: `classifyGit` makes a failure of it. */
export class GitExitError extends Error {
  override readonly name = 'GitExitError';
  constructor(
    readonly command: string,
    readonly exitCode: number,
    readonly stderr: string,
    readonly stdout: string,
    readonly timedOut: boolean,
  ) {
    super(`git ${command} ended with ${exitCode}`);
  }
}
