import { CommandError, EXIT } from './exit-codes.js';
import type { Login } from './login-store.js';

const TIME_LIMIT_MS = 30_000;

/** Talks to Fairway's API. Every answer other than success becomes a CommandError with the server's words. */
export class ApiClient {
  constructor(private readonly login: Login) {}

  get<T>(path: string): Promise<T> {
    return this.request<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>('POST', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>('PATCH', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.request<unknown>('DELETE', path);
  }

  /** Server-sent events until the signal aborts or the server closes. */
  async *events(
    path: string,
    lastId: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StreamedEvent> {
    const response = await this.send('GET', path, undefined, signal, {
      Accept: 'text/event-stream',
      ...(lastId !== undefined && { 'Last-Event-ID': String(lastId) }),
    });
    if (!response.body) return;
    let buffer = '';
    for await (const chunk of response.body.pipeThrough(
      new TextDecoderStream(),
    ) as unknown as AsyncIterable<string>) {
      buffer += chunk;
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(buffer.slice(0, end))?.[1];
        buffer = buffer.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data) as StreamedEvent;
      }
    }
  }

  private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body, AbortSignal.timeout(TIME_LIMIT_MS));
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  private async send(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const url = addressOf(this.login.url, path);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        signal,
        headers: {
          Authorization: `Bearer ${this.login.token}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal.aborted && !(signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'))
        throw error;
      const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
      throw new CommandError(
        `${this.login.url} does not answer (${cause})`,
        EXIT.error,
        'Is the server running, and is the URL right?',
      );
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

function addressOf(base: string, path: string): URL {
  if (/^https?:\/\//.test(base) && URL.canParse(path, base)) return new URL(path, base);
  throw new CommandError(
    `${base} is no address of a server`,
    EXIT.usage,
    'Write it with its scheme, such as https://fairway.example.org (FAIRWAY_URL, or fairway login URL).',
  );
}

export interface StreamedEvent {
  readonly id: number;
  readonly type: string;
  readonly at: string;
  readonly severity: string;
  readonly subject: string;
  readonly channel?: string;
  readonly cluster?: string;
  readonly message: string;
}

/** What is closed now and may open by itself or by a person is blocked, not in conflict. */
const BLOCKED = /\/(?:gates-closed|cluster-not-settled|run-under-way)$/;

interface Refusal {
  readonly type?: string;
  readonly detail?: string;
  readonly message?: string;
  readonly hint?: string;
}

const TOKEN_HINT =
  'Set FAIRWAY_TOKEN to a token that is valid here, or run: fairway login URL. Admins make tokens: POST /api/v1/tokens.';

async function refusal(response: Response): Promise<CommandError> {
  const text = await response.text();
  let told: Refusal = {};
  try {
    told = JSON.parse(text) as Refusal;
  } catch {
    // Not ours, a proxy's perhaps: the status says enough.
  }
  const said = told.detail ?? told.message;
  if (said === undefined)
    return new CommandError(
      `${new URL(response.url).origin} answered ${response.status}, and not as Fairway does`,
      EXIT.error,
      'Is FAIRWAY_URL the address of the API itself?',
    );
  const conflict = response.status === 409 || response.status === 412;
  const code = BLOCKED.test(told.type ?? '') ? EXIT.blocked : conflict ? EXIT.conflict : EXIT.error;
  const hint = response.status === 401 ? TOKEN_HINT : told.hint;
  return new CommandError(said, code, hint, response.status);
}
