/** What was asked, for messages: `apply apps/Deployment default/web`. */
export interface RequestContext {
  readonly action: string;
  readonly verb: 'read' | 'apply' | 'create' | 'delete' | 'patch';
  /** True for Secrets: values are cut out of the server's words. */
  readonly secret?: boolean;
}
