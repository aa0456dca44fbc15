import type { ConfigProblem, SourcedObject } from '#fleet';
import { problem } from '../problems.js';
import { API_REMOVALS } from './removed-apis.table.js';

/** `1.31.2`, `v1.31` → 31. */
function minorOf(version: string): number | undefined {
  const minor = /^v?1\.(\d+)/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** APIs that the version no longer serves are errors, deprecated ones warnings. */
export function apiProblems(objects: readonly SourcedObject[], version: string): readonly ConfigProblem[] {
  const minor = minorOf(version);
  if (minor === undefined) return [];
  return objects.flatMap((sourced) => {
    const { apiVersion, kind, metadata } = sourced.object;
    const rule = API_REMOVALS.find(
      (one) => one.apiVersion === apiVersion && (one.kinds === '*' || one.kinds.includes(kind)),
    );
    if (!rule || minor < rule.deprecatedIn) return [];
    const removed = minor >= rule.removedIn;
    const message = removed
      ? `${kind} ${metadata.name} uses ${apiVersion}, which Kubernetes 1.${rule.removedIn} removed; the target is ${version}`
      : `${kind} ${metadata.name} uses ${apiVersion}, which Kubernetes 1.${rule.removedIn} removes`;
    const hint = rule.replacement ? `Use ${rule.replacement}.` : 'There is no replacement.';
    return [
      problem(
        removed ? 'removed-api' : 'deprecated-api',
        message,
        { ...sourced, field: 'apiVersion' },
        hint,
        removed ? 'error' : 'warning',
      ),
    ];
  });
}
