import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip, gzipSync } from 'node:zlib';
import type { Result } from '#kernel';
import { err, ok, sha256Hex } from '#kernel';
import { BEGIN_LINE, END_LINE, frameBegin, frameEnd } from './frame-lines.js';
import { JUnitReader, type JUnitFault, type JUnitLimits, type JUnitSummary } from './junit.reader.js';

export interface ExtractLimits extends JUnitLimits {
  /** Bytes of XML, all files of one run together. */
  readonly maxXmlBytes: number;
  readonly maxFiles: number;
}

export const DEFAULT_EXTRACT_LIMITS: ExtractLimits = {
  maxXmlBytes: 64 * 1024 * 1024,
  maxFiles: 64,
  maxDepth: 32,
  maxTests: 200_000,
  maxNameLength: 2_000,
};

/** Why there is no trustworthy JUnit. `truncated-junit` and `corrupt-junit` are faults of transport, the rest of content. */
export type ExtractFault =
  JUnitFault | 'no-junit' | 'truncated-junit' | 'corrupt-junit' | 'junit-too-large' | 'too-many-files';

export type JUnitOutcome = Result<JUnitSummary, { readonly reason: ExtractFault; readonly message: string }>;

interface Frame {
  readonly name: string;
  readonly base64: readonly string[];
  readonly sha256: string;
}

/**
 * Reads the JUnit files out of the log of the results container. The log and its contents are not trusted: it is
 * unpacked and parsed as a stream, in small bites that let others run, and never grows beyond the limits.
 */
export async function extractJUnit(
  log: string,
  limits: ExtractLimits = DEFAULT_EXTRACT_LIMITS,
): Promise<JUnitOutcome> {
  const frames = await readFrames(log, limits.maxFiles);
  if (!frames.ok) return frames;
  const reader = new JUnitReader(limits);
  let left = limits.maxXmlBytes;
  for (const frame of frames.value) {
    const read = await readFrame(frame, reader, left);
    if (!read.ok) return read;
    left -= read.value;
  }
  return ok(reader.summary());
}

/** Lines that are looked at before others get their turn: a log of 32 MiB has 400,000. */
const LINES_AT_ONCE = 4_000;
const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function readFrames(
  log: string,
  maxFiles: number,
): Promise<Result<readonly Frame[], { reason: ExtractFault; message: string }>> {
  const frames: Frame[] = [];
  let open: { name: string; base64: string[] } | undefined;
  let looked = 0;
  for (const line of linesOf(log)) {
    looked += 1;
    if (looked % LINES_AT_ONCE === 0) await turnOfOthers();
    const begin = BEGIN_LINE.exec(line);
    if (begin?.[1] !== undefined) {
      if (open !== undefined) break;
      open = { name: begin[1], base64: [] };
      continue;
    }
    if (open === undefined) continue;
    const end = END_LINE.exec(line);
    if (end === null) {
      open.base64.push(line);
      continue;
    }
    if (end[1] !== open.name) break;
    frames.push({ ...open, sha256: end[2] as string });
    open = undefined;
    if (frames.length > maxFiles)
      return err({ reason: 'too-many-files', message: `more than ${maxFiles} JUnit files` });
  }
  if (open !== undefined) {
    return err({ reason: 'truncated-junit', message: `the log ends inside of ${open.name}` });
  }
  if (frames.length === 0) return err({ reason: 'no-junit', message: 'the log holds no JUnit file' });
  return ok(frames);
}

function* linesOf(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}

const BASE64_LINE = /^[A-Za-z0-9+/]*={0,2}$/;

/** Returns the bytes of XML. */
async function readFrame(
  frame: Frame,
  reader: JUnitReader,
  maxBytes: number,
): Promise<Result<number, { reason: ExtractFault; message: string }>> {
  for (const [index, line] of frame.base64.entries()) {
    if (index % LINES_AT_ONCE === 0) await turnOfOthers();
    if (!BASE64_LINE.test(line))
      return err({ reason: 'corrupt-junit', message: `${frame.name}: a line is no base64` });
  }
  const packed = Buffer.from(frame.base64.join(''), 'base64');
  const hash = createHash('sha256');
  let bytes = 0;
  reader.begin();
  try {
    for await (const chunk of Readable.from(slices(packed), { objectMode: false }).pipe(
      createGunzip(),
    ) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        return err({ reason: 'junit-too-large', message: `${frame.name} unpacks to more than the limit` });
      hash.update(chunk);
      reader.write(chunk);
    }
  } catch (error) {
    return err({ reason: 'corrupt-junit', message: `${frame.name}: ${(error as Error).message}` });
  }
  if (hash.digest('hex') !== frame.sha256) {
    return err({ reason: 'corrupt-junit', message: `${frame.name}: its hash is not the one announced` });
  }
  const fault = reader.end();
  return fault === undefined
    ? ok(bytes)
    : err({ reason: fault.reason, message: `${frame.name}: ${fault.message}` });
}

function* slices(buffer: Buffer): Generator<Buffer> {
  for (let at = 0; at < buffer.length; at += 65_536) yield buffer.subarray(at, at + 65_536);
}

/** The frame that the results container prints. */
export function frameJUnit(name: string, xml: string | Uint8Array): string {
  const base64 = gzipSync(xml).toString('base64');
  const lines = base64.match(/.{1,76}/g) ?? [];
  return [frameBegin(name), ...lines, frameEnd(name, sha256Hex(xml)), ''].join('\n');
}
