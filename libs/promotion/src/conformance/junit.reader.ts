import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';

export interface JUnitLimits {
  readonly maxDepth: number;
  readonly maxTests: number;
  /** Characters of a test's name that are kept. */
  readonly maxNameLength: number;
}

export type JUnitFault =
  'junit-doctype' | 'junit-malformed' | 'junit-too-deep' | 'junit-too-many-tests' | 'no-junit';

export interface JUnitSummary {
  /** Test cases in all, and those that ran (neither skipped nor a suite's own set-up). */
  readonly tests: number;
  readonly executed: number;
  readonly skipped: number;
  readonly passed: number;
  /** Names with a failure or an error, set-up and clean-up of suites included. */
  readonly failedTests: readonly string[];
  /** Failures and errors that the suites' own attributes claim. May be more than the named ones, never trusted to be less. */
  readonly claimedFailures: number;
  readonly durationSeconds: number;
}

/** Reports of the runner about itself, not tests. Source: Ginkgo v2, JUnit reporter. */
const NOT_A_TEST =
  /^\[(?:Synchronized)?(?:Before|After)Suite\]|^\[Report(?:Before|After)Suite\]|^\[DeferCleanup/;

/** JUnit knows a dozen; a million in one element would stop everybody else for seconds. */
const MAX_ATTRIBUTES = 100;

/** How many failed tests are kept by name. */
const MAX_FAILED_NAMES = 1_000;

interface OpenCase {
  readonly name: string;
  readonly depth: number;
  skipped: boolean;
  failed: boolean;
}

/**
 * Reads JUnit XML as a stream and counts for itself. Text is not kept; a document type stops the reading at once, so no
 * entity is ever expanded. Several files can be read one after the other: `begin`, `write`…, `end`.
 */
export class JUnitReader {
  private parser = new SaxesParser();
  private decoder = new StringDecoder('utf8');
  private fault: { reason: JUnitFault; message: string } | undefined;
  private depth = 0;
  private roots = 0;
  /** Of the element whose tag is being read. */
  private attributes = 0;
  private open: OpenCase | undefined;
  private counts = { tests: 0, executed: 0, skipped: 0, failed: 0, claimedFailures: 0, durationSeconds: 0 };
  private readonly failedTests: string[] = [];

  constructor(private readonly limits: JUnitLimits) {}

  begin(): void {
    this.decoder = new StringDecoder('utf8');
    this.fault = undefined;
    this.depth = 0;
    this.roots = 0;
    this.open = undefined;
    this.parser = this.newParser();
  }

  write(chunk: Uint8Array): void {
    if (this.fault === undefined)
      this.parser.write(this.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }

  /** The fault of this file, if it has one. */
  end(): { readonly reason: JUnitFault; readonly message: string } | undefined {
    if (this.fault === undefined) this.parser.write(this.decoder.end()).close();
    if (this.fault === undefined && this.roots === 0) this.stop('junit-malformed', 'there is no element');
    return this.fault;
  }

  summary(): JUnitSummary {
    const { tests, executed, skipped, failed, claimedFailures, durationSeconds } = this.counts;
    const passed = Math.max(0, executed - failed);
    return {
      tests,
      executed,
      skipped,
      passed,
      failedTests: this.failedTests,
      claimedFailures,
      durationSeconds,
    };
  }

  private stop(reason: JUnitFault, message: string): void {
    this.fault ??= { reason, message };
  }

  private newParser(): SaxesParser {
    const parser = new SaxesParser({ position: true });
    // Handlers may still be called for the rest of a chunk after a fault: they then do nothing.
    parser.on('doctype', () => this.stop('junit-doctype', 'a document type is not allowed'));
    parser.on('error', (error) => this.stop('junit-malformed', error.message));
    parser.on('opentagstart', () => void (this.attributes = 0));
    parser.on('attribute', () => {
      this.attributes += 1;
      if (this.attributes > MAX_ATTRIBUTES)
        this.stop('junit-malformed', `an element has more than ${MAX_ATTRIBUTES} attributes`);
    });
    parser.on('opentag', (tag) => {
      if (this.fault === undefined) this.opened(tag.name, tag.attributes as Record<string, string>);
    });
    parser.on('closetag', () => {
      if (this.fault === undefined) this.closed();
    });
    return parser;
  }

  private opened(name: string, attributes: Readonly<Record<string, string>>): void {
    this.depth += 1;
    if (this.depth > this.limits.maxDepth)
      return this.stop('junit-too-deep', `elements are nested deeper than ${this.limits.maxDepth}`);
    if (this.depth === 1) this.openedRoot(name);
    if (name === 'testsuite') this.openedSuite(attributes);
    if (name === 'testcase') this.openedCase(attributes);
    if (this.open === undefined || this.depth !== this.open.depth + 1) return;
    if (name === 'skipped') this.open.skipped = true;
    if (name === 'failure' || name === 'error') this.open.failed = true;
  }

  private openedRoot(name: string): void {
    this.roots += 1;
    if (name !== 'testsuites' && name !== 'testsuite')
      this.stop('junit-malformed', `the root is <${name.slice(0, 80)}>`);
  }

  private openedSuite(attributes: Readonly<Record<string, string>>): void {
    this.counts.claimedFailures += countOf(attributes['failures']) + countOf(attributes['errors']);
    this.counts.durationSeconds += Number(attributes['time']) || 0;
  }

  private openedCase(attributes: Readonly<Record<string, string>>): void {
    if (this.open !== undefined) return this.stop('junit-malformed', 'a testcase inside of a testcase');
    const name = (attributes['name'] ?? '').slice(0, this.limits.maxNameLength);
    const status = attributes['status'] ?? '';
    this.open = {
      name,
      depth: this.depth,
      skipped: status === 'skipped' || status === 'pending',
      failed: /^(?:failed|panicked|aborted|interrupted|timedout|error)$/.test(status),
    };
    this.counts.tests += 1;
    if (this.counts.tests > this.limits.maxTests)
      this.stop('junit-too-many-tests', `more than ${this.limits.maxTests} tests`);
  }

  private closed(): void {
    const done = this.open;
    if (done !== undefined && done.depth === this.depth) {
      this.open = undefined;
      this.count(done);
    }
    this.depth -= 1;
  }

  private count(done: OpenCase): void {
    const isTest = !NOT_A_TEST.test(done.name);
    if (done.failed) {
      this.counts.failed += 1;
      if (this.failedTests.length < MAX_FAILED_NAMES)
        this.failedTests.push(done.name || '(a test without a name)');
    }
    if (done.skipped && !done.failed) this.counts.skipped += 1;
    else if (isTest) this.counts.executed += 1;
  }
}

const countOf = (text: string | undefined): number => {
  const count = Number(text);
  return Number.isInteger(count) && count > 0 ? count : 0;
};
