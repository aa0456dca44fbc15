import { ApiError } from './api-error.js';
import type { KubeObject } from './object.js';
import { applyMergePatch } from './patch/merge-patch.js';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly object?: KubeObject;
  readonly oldObject?: KubeObject;
  readonly dryRun: boolean;
}

export type AdmissionReview =
  | { readonly allow: true }
  | { readonly deny: string; readonly code?: number; readonly reason?: string }
  /** A JSON merge patch on the object. */
  | { readonly patch: { readonly [field: string]: unknown } };

export interface AdmissionHook {
  readonly name: string;
  readonly operations: readonly (AdmissionOperation | '*')[];
  /** `pods`, `deployments.apps`, `pods/eviction`, or `*`. */
  readonly resources: readonly string[];
  review(request: AdmissionRequest): AdmissionReview;
}

/** Webhooks as in-process functions, asked in the order of registration. */
export class AdmissionHooks {
  readonly #hooks = new Map<string, AdmissionHook>();

  /** Replaces a hook of the same name. Returns its removal. */
  add(hook: AdmissionHook): () => void {
    this.#hooks.set(hook.name, hook);
    return () => this.remove(hook.name);
  }

  remove(name: string): void {
    this.#hooks.delete(name);
  }

  matching(request: AdmissionRequest): readonly AdmissionHook[] {
    const target = request.subresource ? `${request.resource}/${request.subresource}` : request.resource;
    return [...this.#hooks.values()].filter(
      (hook) =>
        (hook.operations.includes('*') || hook.operations.includes(request.operation)) &&
        (hook.resources.includes('*') || hook.resources.includes(target)),
    );
  }
}

/**
 * Asks the matching hooks. Returns the object as they patched it, or undefined when none did. Throws the denial as
 * kube-apiserver words it: `admission webhook "name" denied the request: …`.
 */
export function review(hooks: AdmissionHooks, request: AdmissionRequest): KubeObject | undefined {
  let patched: KubeObject | undefined;
  for (const hook of hooks.matching(request)) {
    const answer = hook.review(patched ? { ...request, object: patched } : request);
    if ('deny' in answer) {
      const text = `admission webhook ${JSON.stringify(hook.name)} denied the request: ${answer.deny}`;
      throw new ApiError(answer.code ?? 403, answer.reason ?? 'Forbidden', text);
    }
    if ('patch' in answer && request.object) {
      patched = applyMergePatch(structuredClone(patched ?? request.object), answer.patch) as KubeObject;
    }
  }
  return patched;
}
