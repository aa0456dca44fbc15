import type { Finding } from '#fleet';
import { checkSkew } from '../skew.js';
import { compareVersions, minorOf, NEWEST_MINOR, parseVersion } from '../version.js';
import { finding } from './catalogue.js';
import { judge, known, plural, verdict, type Verdict } from './check.js';
import { isMaster } from './masters.check.js';
import type { DoctorObservation, Reading } from './observation.js';

/** Versions of the API servers: each by its pod where they are seen, else the one that answered. */
export function apiServerVersions({ components, serverVersion }: DoctorObservation): readonly string[] {
  const pods = (known(components) ?? []).filter(({ component }) => component === 'kube-apiserver');
  const answered = known(serverVersion);
  const seen = [...pods.map(({ version }) => version), ...(answered === undefined ? [] : [answered])];
  return [...new Set(seen.map((text) => (text.startsWith('v') ? text : `v${text}`)))].sort(byVersion);
}

function byVersion(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  return left && right ? compareVersions(left, right) : a < b ? -1 : 1;
}

/** What runs, held against the skew policy, and whether it still gets fixes. */
export function versionsCheck(observation: DoctorObservation): Verdict {
  return judge(observation.serverVersion, (answered) => {
    const servers = apiServerVersions(observation);
    const missing = [observation.nodes, observation.components, observation.proxies].flatMap(whyUnknown);
    const controllers = (known(observation.components) ?? []).filter(
      ({ component }) => component !== 'kube-apiserver',
    );
    const violations = checkSkew({
      apiServers: servers,
      kubelets: (known(observation.nodes) ?? []).map((node) => ({
        name: node.name,
        version: node.kubeletVersion,
        master: isMaster(observation, node),
      })),
      proxies: known(observation.proxies) ?? [],
      controllers,
    });
    const skewed = violations.map(({ message, remedy, rule }) =>
      finding('version-skew', { subject: `rule ${rule}`, message, remedy }),
    );
    const seen = [
      plural(known(observation.nodes)?.length ?? 0, 'kubelet'),
      plural(known(observation.proxies)?.length ?? 0, 'kube-proxy', 'kube-proxies'),
      plural(controllers.length, 'controller'),
    ];
    const summary = `API servers ${servers.join(' and ')}; ${seen.join(', ')} within the skew policy`;
    return verdict(summary, [...skewed, ...unsupported(answered)], missing);
  });
}

const whyUnknown = (reading: Reading<unknown>): readonly string[] =>
  reading.state === 'unknown' ? [reading.why] : [];

function unsupported(answered: string): readonly Finding[] {
  const version = parseVersion(answered);
  if (!version || NEWEST_MINOR - version.minor < 3) return [];
  return [
    finding('version-unsupported', {
      subject: 'Kubernetes',
      message: `Kubernetes ${minorOf(version)} is ${NEWEST_MINOR - version.minor} minors behind 1.${NEWEST_MINOR}`,
      remedy: 'Plan the way up: fairway upgrade plan.',
    }),
  ];
}

/** APIs that somebody uses and that go away, by the API server's own count and by live objects. */
export function deprecatedApisCheck({ removedApis, target }: DoctorObservation): Verdict {
  return judge(removedApis, (uses) => {
    const wanted = target === undefined ? undefined : parseVersion(target);
    const findings = uses.map((use) => {
      const gone = parseVersion(use.removedIn);
      const now = wanted !== undefined && gone !== undefined && gone.minor <= wanted.minor;
      const by = use.manager === undefined ? '' : ` by ${use.manager}`;
      return finding(now ? 'api-removed-in-target' : 'api-deprecated', {
        subject: `${use.apiVersion} ${use.what}`,
        message:
          use.source === 'object'
            ? `${use.what} is written as ${use.apiVersion}${by}, which Kubernetes ${use.removedIn} removes`
            : `somebody asks for ${use.what} as ${use.apiVersion}, which Kubernetes ${use.removedIn} removes`,
        remedy: `${use.replacement === undefined ? 'Move to the version that the deprecation guide names.' : `Use ${use.replacement}.`}${use.source === 'requests' ? ' The audit log names the caller; the count starts anew when an API server restarts.' : ''}`,
      });
    });
    const against = wanted === undefined ? '' : ` that ${minorOf(wanted)} removes`;
    return verdict(`no API${against} is in use`, findings);
  });
}
