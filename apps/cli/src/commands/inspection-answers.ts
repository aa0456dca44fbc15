/** Answers about looks at clusters. */
export interface InspectionAnswer<Report> {
  readonly id: string;
  readonly cluster: string;
  readonly state: 'pending' | 'finished' | 'failed';
  readonly finished_at?: string;
  readonly failure?: { readonly code: string; readonly message: string; readonly hint?: string };
  readonly report?: Report;
}

export interface FindingAnswer {
  readonly code: string;
  readonly check: string;
  readonly severity: string;
  readonly subject: string;
  readonly message: string;
  readonly reason: string;
  readonly remedy: string;
  readonly since?: string;
}

export interface DoctorAnswer {
  readonly at: string;
  readonly verdict: 'ok' | 'warnings' | 'errors' | 'unknown';
  readonly server_version?: string;
  readonly checks: readonly { readonly check: string; readonly state: string; readonly summary: string }[];
  readonly findings: readonly FindingAnswer[];
}

export interface UpgradePlanAnswer {
  readonly at: string;
  readonly api_servers: readonly string[];
  readonly target: string;
  readonly target_from: string;
  readonly components: readonly {
    readonly component: string;
    readonly current: readonly string[];
    readonly target: string;
    readonly by_hand?: string;
  }[];
  readonly steps: readonly {
    readonly kind: string;
    readonly from: readonly string[];
    readonly to: string;
    readonly point_of_no_return: boolean;
    readonly proof: readonly string[];
  }[];
  readonly worker_rolls: number;
  readonly point_of_no_return?: number;
  readonly no_return_already: boolean;
  readonly violations: readonly {
    readonly rule: string;
    readonly message: string;
    readonly remedy: string;
  }[];
  readonly removed_apis: readonly {
    readonly api_version: string;
    readonly what: string;
    readonly removed_in: string;
    readonly replacement?: string;
    readonly source: string;
    readonly manager?: string;
  }[];
  readonly by_hand: readonly string[];
  readonly blockers: readonly FindingAnswer[];
  readonly unknown: readonly string[];
}
