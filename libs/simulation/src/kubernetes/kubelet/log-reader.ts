import { ApiError, type KubeObject, type LogRequest } from '../api/store.js';
import type { Pod } from '../controllers/objects.js';
import type { ContainerLog, LogBook, LogLine } from './container-logs.js';

/**
 * The log subresource: the text so far, or with `follow` a stream that ends when the container does. Throws 400 where the
 * container must be named, is unknown, or waits to start.
 */
export function readLogs(
  book: LogBook,
  object: KubeObject,
  request: LogRequest,
): string | AsyncIterable<string> {
  const pod = object as unknown as Pod;
  const container = containerOf(pod, request.container);
  const log = book.find(pod.metadata.uid as string, container);
  if (!log) throw notStarted(pod, container);
  const show = (line: LogLine): string =>
    `${request.timestamps ? `${new Date(line.at).toISOString().replace(/Z$/, '000000Z')} ` : ''}${line.text}\n`;
  const lines =
    request.tailLines === undefined
      ? log.lines
      : request.tailLines === 0
        ? []
        : log.lines.slice(-request.tailLines);
  const text = lines.map(show).join('');
  return request.follow && !log.closed ? stream(log, text, show) : text;
}

function containerOf(pod: Pod, wanted: string | undefined): string {
  const names = (pod.spec?.containers ?? []).map((container) => container.name);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new ApiError(400, 'BadRequest', `container ${wanted} is not valid for pod ${pod.metadata.name}`);
  }
  if (names.length === 1) return names[0] as string;
  const text = `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`;
  throw new ApiError(400, 'BadRequest', text);
}

function notStarted(pod: Pod, container: string): ApiError {
  const waiting = pod.status?.containerStatuses?.find((status) => status.name === container)?.state.waiting
    ?.reason;
  const why = waiting ?? 'ContainerCreating';
  const text = `container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${why}`;
  return new ApiError(400, 'BadRequest', text);
}

async function* stream(
  log: ContainerLog,
  first: string,
  show: (line: LogLine) => string,
): AsyncIterable<string> {
  const queue: (string | undefined)[] = first ? [first] : [];
  let wake: () => void = () => undefined;
  const stop = log.follow((line) => {
    queue.push(line && show(line));
    wake();
  });
  try {
    for (;;) {
      while (queue.length > 0) {
        const text = queue.shift();
        if (text === undefined) return;
        yield text;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
