import type { SkewQuestion, SkewViolation, Version, Versioned } from './types.js';
import { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';

type Rule = SkewViolation['rule'];
interface Named {
  readonly name: string;
  readonly version: Version;
  readonly master?: boolean;
}
/** Oldest and newest API server. */
interface Servers {
  readonly oldest: Version;
  readonly newest: Version;
}

const violation = (rule: Rule, message: string, remedy: string, waits = false): SkewViolation => ({
  rule,
  message,
  remedy,
  waits,
});

/**
 * The Kubernetes version skew policy (kubernetes.io/releases/version-skew-policy) over what runs and what is wanted: API
 * servers at most one minor apart; kubelets and kube-proxies not newer than the oldest API server and at most three
 * minors (two before 1.25) older than the newest; controller-manager and scheduler not newer and at most one older; kubectl
 * at most one away from every API server; the control plane moves one minor at a time and never back.
 */
export function checkSkew(question: SkewQuestion): readonly SkewViolation[] {
  const reader = new VersionReader();
  const servers = reader.all(
    question.apiServers.map((version, index) => ({ name: `API server ${index + 1}`, version })),
  );
  // A Node whose kubelet has not reported yet (made ahead of it, or by hand) runs nothing that could be judged.
  const kubelets = reader.all(question.kubelets.filter(({ version }) => version !== ''));
  const proxies = reader.all(question.proxies ?? []);
  const controllers = reader.all(question.controllers ?? []);
  const clients = reader.all(question.clients ?? []);
  const target = reader.one('the target', question.target);
  const workers = reader.one('the worker target', question.workerTarget);
  const sorted = servers.map((server) => server.version).sort(compareVersions);
  const [oldest, newest] = [sorted[0], sorted.at(-1)];
  if (!oldest || !newest) return reader.unreadable;
  const range = { oldest, newest };
  return [
    ...reader.unreadable,
    ...serversApart(range),
    ...controllers.flatMap((controller) => controllerSkew(controller, range)),
    ...kubelets.flatMap((kubelet) => nodeSkew('kubelet', kubelet, range)),
    ...proxies.flatMap((proxy) => nodeSkew('proxy', proxy, range)),
    ...clients.flatMap((client) => clientSkew(client, range)),
    ...(target ? targetSkew(range, target, kubelets) : []),
    ...(workers ? workerSkew(workers, range) : []),
  ];
}

class VersionReader {
  readonly unreadable: SkewViolation[] = [];

  all(parts: readonly (Versioned & { readonly master?: boolean })[]): readonly Named[] {
    return parts.flatMap(({ name, version: text, master }) => {
      const version = this.one(name, text);
      return version ? [{ name, version, ...(master === true && { master }) }] : [];
    });
  }

  one(name: string, text: string | undefined): Version | undefined {
    if (text === undefined) return undefined;
    const version = parseVersion(text);
    if (version) return version;
    const message = `${name} has version "${text}", which cannot be read`;
    this.unreadable.push(violation('unreadable-version', message, 'Correct it, or look at what reports it.'));
    return undefined;
  }
}

function serversApart({ oldest, newest }: Servers): readonly SkewViolation[] {
  if (newest.major !== oldest.major) {
    const message = `API servers run ${minorOf(oldest)} and ${minorOf(newest)}: of two major versions`;
    return [violation('other-major', message, 'Bring them to one version.')];
  }
  if (newest.minor - oldest.minor <= 1) return [];
  const message = `API servers run ${minorOf(oldest)} and ${minorOf(newest)}: at most one minor may lie between them`;
  const remedy = `Bring the old API servers to ${minorOf(newest)} minor by minor.`;
  return [violation('api-servers-apart', message, remedy)];
}

function controllerSkew({ name, version }: Named, { oldest }: Servers): readonly SkewViolation[] {
  const behind = oldest.minor - version.minor;
  const runs = `${name} runs ${minorOf(version)}, the oldest API server ${minorOf(oldest)}`;
  if (behind < 0) {
    const remedy = `Run ${name} at ${minorOf(oldest)}.`;
    return [violation('controller-ahead', `${runs}: it must not be newer`, remedy)];
  }
  if (behind <= 1) return [];
  const remedy = `Bring ${name} to ${minorOf(oldest)}.`;
  return [violation('controller-too-old', `${runs}: it may be one minor older`, remedy)];
}

function nodeSkew(
  part: 'kubelet' | 'proxy',
  { name, version, master }: Named,
  { oldest, newest }: Servers,
): readonly SkewViolation[] {
  const runs = `${part === 'proxy' ? 'kube-proxy' : part} of ${name} runs ${minorOf(version)}`;
  const [bound, which] = master === true ? [newest, 'newest'] : [oldest, 'oldest'];
  if (version.minor > bound.minor) {
    const message = `${runs}, newer than the ${which} API server (${minorOf(bound)})`;
    return [violation(`${part}-ahead`, message, `Bring all API servers to ${minorOf(version)}.`)];
  }
  const allowed = kubeletTolerance(version);
  if (newest.minor - version.minor <= allowed) return [];
  const message = `${runs}: at most ${allowed} minors behind API server ${minorOf(newest)}`;
  const remedy = `Replace the node by one of at least ${newest.major}.${newest.minor - 3}.`;
  return [violation(`${part}-too-old`, message, remedy)];
}

function clientSkew({ name, version }: Named, { oldest, newest }: Servers): readonly SkewViolation[] {
  if (version.minor >= newest.minor - 1 && version.minor <= oldest.minor + 1) return [];
  const message = `${name} ${minorOf(version)} is more than one minor away from an API server (${minorOf(oldest)} to ${minorOf(newest)})`;
  return [violation('client-apart', message, `Use ${name} ${minorOf(newest)}.`)];
}

function targetSkew(
  { oldest, newest }: Servers,
  target: Version,
  kubelets: readonly Named[],
): readonly SkewViolation[] {
  if (target.major !== newest.major) {
    const message = `${minorOf(newest)} → ${minorOf(target)}: another major version`;
    return [violation('other-major', message, 'Choose a target of the same major version.')];
  }
  if (target.minor < newest.minor) {
    const message = `the control plane runs ${minorOf(newest)} and cannot go back to ${minorOf(target)}`;
    const remedy = 'Restore a backup, or choose a version that is not older.';
    return [violation('control-plane-downgrade', message, remedy)];
  }
  if (target.minor - oldest.minor > 1) {
    const message = `the control plane runs ${minorOf(oldest)} and moves one minor at a time: ${minorOf(target)} is ${target.minor - oldest.minor} away`;
    const remedy = `Go to ${oldest.major}.${oldest.minor + 1} first.`;
    return [violation('control-plane-jump', message, remedy)];
  }
  return kubelets.flatMap(({ name, version }) => {
    const allowed = kubeletTolerance(version);
    if (target.minor - version.minor <= allowed || newest.minor - version.minor > allowed) return [];
    const message = `kubelet of ${name} runs ${minorOf(version)}: it would be more than ${allowed} minors behind ${minorOf(target)}`;
    const remedy = `Replace the workers by ${minorOf(newest)} before the control plane moves.`;
    return [violation('kubelet-too-old', message, remedy)];
  });
}

function workerSkew(workers: Version, { oldest, newest }: Servers): readonly SkewViolation[] {
  const allowed = kubeletTolerance(workers);
  if (newest.minor - workers.minor > allowed) {
    const message = `new workers would run ${minorOf(workers)}: at most ${allowed} minors behind API server ${minorOf(newest)}`;
    return [violation('workers-too-old', message, 'Choose a newer version for the workers.')];
  }
  if (workers.minor <= oldest.minor) return [];
  const message = `new workers would run ${minorOf(workers)}, the oldest API server runs ${minorOf(oldest)}`;
  return [violation('workers-ahead', message, 'Workers wait until every API server is new.', true)];
}
