import type { SkewQuestion, SkewViolation, Version } from './types.js';
import { compareVersions, kubeletTolerance, minorOf, parseVersion } from './version.js';

type Rule = SkewViolation['rule'];
interface Named {
  readonly name: string;
  readonly version: Version;
}

const violation = (rule: Rule, message: string, remedy: string, waits = false): SkewViolation => ({
  rule,
  message,
  remedy,
  waits,
});

/**
 * The Kubernetes version skew policy (kubernetes.io, "Version Skew Policy") over what runs and what is wanted: API servers
 * at most one minor apart; kubelets not newer than the oldest API server and at most three minors (two before 1.25)
 * older than the newest; the control plane moves one minor at a time and never back.
 */
export function checkSkew(question: SkewQuestion): readonly SkewViolation[] {
  const unreadable: SkewViolation[] = [];
  const read = (name: string, text: string): readonly Named[] => {
    const version = parseVersion(text);
    if (version) return [{ name, version }];
    const remedy = 'Correct it, or look at what reports it.';
    unreadable.push(
      violation('unreadable-version', `${name} has version "${text}", which cannot be read`, remedy),
    );
    return [];
  };
  const servers = question.apiServers.flatMap((text, index) => read(`API server ${index + 1}`, text));
  const kubelets = question.kubelets.flatMap((kubelet) => read(kubelet.name, kubelet.version));
  const controllers = (question.controllers ?? []).flatMap((each) => read(each.name, each.version));
  const target = question.target === undefined ? undefined : read('the target', question.target)[0]?.version;
  const workers =
    question.workerTarget === undefined
      ? undefined
      : read('the worker target', question.workerTarget)[0]?.version;
  const sorted = servers.map((server) => server.version).sort(compareVersions);
  const [oldest, newest] = [sorted[0], sorted.at(-1)];
  if (!oldest || !newest) return unreadable;
  return [
    ...unreadable,
    ...serversApart(oldest, newest),
    ...controllers.flatMap((controller) => controllerSkew(controller, oldest)),
    ...kubelets.flatMap((kubelet) => kubeletSkew(kubelet, oldest, newest)),
    ...(target ? targetSkew(oldest, newest, target, kubelets) : []),
    ...(workers ? workerSkew(workers, oldest) : []),
  ];
}

function serversApart(oldest: Version, newest: Version): readonly SkewViolation[] {
  if (newest.minor - oldest.minor <= 1 && newest.major === oldest.major) return [];
  const message = `API servers run ${minorOf(oldest)} and ${minorOf(newest)}: at most one minor may lie between them`;
  return [
    violation(
      'api-servers-apart',
      message,
      `Bring the old API servers to ${minorOf(newest)} minor by minor.`,
    ),
  ];
}

function controllerSkew({ name, version }: Named, oldest: Version): readonly SkewViolation[] {
  const behind = oldest.minor - version.minor;
  const runs = `${name} runs ${minorOf(version)}, the oldest API server ${minorOf(oldest)}`;
  if (behind < 0)
    return [
      violation('controller-ahead', `${runs}: it must not be newer`, `Run ${name} at ${minorOf(oldest)}.`),
    ];
  if (behind <= 1) return [];
  return [
    violation(
      'controller-too-old',
      `${runs}: it may be one minor older`,
      `Bring ${name} to ${minorOf(oldest)}.`,
    ),
  ];
}

function kubeletSkew({ name, version }: Named, oldest: Version, newest: Version): readonly SkewViolation[] {
  if (version.minor > oldest.minor) {
    const message = `kubelet of ${name} runs ${minorOf(version)}, newer than the oldest API server (${minorOf(oldest)})`;
    return [violation('kubelet-ahead', message, `Bring all API servers to ${minorOf(version)}.`)];
  }
  const allowed = kubeletTolerance(version);
  if (newest.minor - version.minor <= allowed) return [];
  const message = `kubelet of ${name} runs ${minorOf(version)}: at most ${allowed} minors behind API server ${minorOf(newest)}`;
  return [
    violation(
      'kubelet-too-old',
      message,
      `Replace the node by one of at least ${newest.major}.${newest.minor - 3}.`,
    ),
  ];
}

function targetSkew(
  oldest: Version,
  newest: Version,
  target: Version,
  kubelets: readonly Named[],
): readonly SkewViolation[] {
  if (target.minor < newest.minor) {
    const message = `the control plane runs ${minorOf(newest)} and cannot go back to ${minorOf(target)}`;
    return [
      violation(
        'control-plane-downgrade',
        message,
        'Restore a backup, or choose a version that is not older.',
      ),
    ];
  }
  if (target.minor - oldest.minor > 1) {
    const message = `the control plane runs ${minorOf(oldest)} and moves one minor at a time: ${minorOf(target)} is ${target.minor - oldest.minor} away`;
    return [violation('control-plane-jump', message, `Go to ${oldest.major}.${oldest.minor + 1} first.`)];
  }
  return kubelets.flatMap(({ name, version }) => {
    const allowed = kubeletTolerance(version);
    if (target.minor - version.minor <= allowed || newest.minor - version.minor > allowed) return [];
    const message = `kubelet of ${name} runs ${minorOf(version)}: it would be more than ${allowed} minors behind ${minorOf(target)}`;
    return [
      violation(
        'kubelet-too-old',
        message,
        `Replace the workers by ${minorOf(newest)} before the control plane moves.`,
      ),
    ];
  });
}

function workerSkew(workers: Version, oldest: Version): readonly SkewViolation[] {
  if (workers.minor <= oldest.minor) return [];
  const message = `new workers would run ${minorOf(workers)}, the oldest API server runs ${minorOf(oldest)}`;
  return [violation('workers-ahead', message, 'Workers wait until every API server is new.', true)];
}
