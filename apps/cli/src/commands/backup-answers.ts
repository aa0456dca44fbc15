/** Answers of /api/v1/clusters/…/backups, as far as commands read them. */
export interface BackupAnswer {
  readonly id: string;
  readonly provider: string;
  readonly state: string;
  readonly started_at: string;
  readonly size_bytes?: number;
  readonly revision?: string;
  readonly items?: number;
  readonly message: string;
  readonly verified_at?: string;
  readonly drill?: { readonly at: string };
  readonly exception?: { readonly by: string; readonly reason: string };
}

export interface BackupList {
  readonly problem?: string;
  readonly gate?: { readonly open: boolean; readonly reasons: readonly string[] };
  readonly backups: readonly BackupAnswer[];
}

export interface RequestAnswer {
  readonly id: string;
  readonly settled_at?: string;
  readonly result?: string;
}

export interface RestorePlanAnswer {
  readonly summary: string;
  readonly warnings: readonly string[];
  readonly steps: readonly {
    readonly title: string;
    readonly commands: readonly string[];
    readonly note?: string;
  }[];
}
