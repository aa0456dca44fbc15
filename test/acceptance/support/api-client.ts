/** A person with a token: sends JSON, gets JSON, throws on anything that is not 2xx. */
export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.try<T>(method, path, body);
    if (answer.status >= 300) {
      throw new Error(
        `${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 500)}`,
      );
    }
    return answer.body;
  }

  async try<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
  }

  async clusters(): Promise<readonly ClusterRow[]> {
    return (await this.send<{ items: ClusterRow[] }>('GET', '/api/v1/clusters')).items;
  }

  cluster(name: string): Promise<ClusterRow> {
    return this.send<ClusterRow>('GET', `/api/v1/clusters/${name}`);
  }

  channel(name: string): Promise<ChannelRow> {
    return this.send<ChannelRow>('GET', `/api/v1/channels/${name}`);
  }
}

export interface ProblemRow {
  readonly type: string;
  readonly title: string;
  readonly detail?: string;
  readonly hint?: string;
}

export interface ClusterRow {
  readonly id: string;
  readonly alias: string;
  readonly channel: string;
  readonly lifecycle_status: string;
  readonly phase: string;
  readonly message: string;
  readonly step?: string;
  readonly current_version?: string;
  readonly next_version?: string;
  readonly last_version?: string;
  readonly update_id?: string;
  readonly problems?: readonly ProblemRow[];
}

export interface RevisionRow {
  readonly commit?: string;
  readonly phase: string;
  readonly why_not_yet: readonly {
    readonly gate: string;
    readonly state: string;
    readonly message: string;
  }[];
}

export interface ChannelRow {
  readonly name: string;
  readonly paused_reason?: string;
  readonly head?: RevisionRow;
  readonly git: { readonly problem?: ProblemRow };
}
