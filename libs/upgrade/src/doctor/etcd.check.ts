import { milliseconds } from '#kernel';
import type { Finding } from '#fleet';
import { finding } from './catalogue.js';
import { judge, plural, verdict, type Verdict } from './check.js';
import { zoneWithMajority } from './masters.check.js';
import type { DoctorObservation, EtcdMemberView, EtcdView } from './observation.js';

const NEAR_QUOTA = 0.8;
/** etcd's own advice is 10 ms; beyond this, heartbeats suffer. Source: etcd.io, "Tuning" and "FAQ". */
const SLOW_FSYNC = milliseconds(100);

/** Size, health, alarms and room of etcd, and how many failures it survives. */
export function etcdCheck({ etcd }: DoctorObservation): Verdict {
  return judge(etcd, (view) => {
    const voters = view.members.filter(({ learner }) => !learner);
    const quorum = Math.floor(voters.length / 2) + 1;
    const healthy = voters.filter((member) => member.healthy).length;
    const summary = `${healthy} of ${plural(voters.length, 'member')} healthy, quorum ${quorum}, survives ${plural(Math.max(0, healthy - quorum), 'failure')}`;
    return verdict(summary, [
      ...alarms(view),
      ...quorumFindings(voters.length, healthy, quorum),
      ...view.members.filter((member) => !member.healthy).map(sick),
      ...sizeFindings(voters),
      ...view.members.filter(({ learner }) => learner).map(learning),
      ...view.members.flatMap(roomFindings),
    ]);
  });
}

const alarms = ({ alarms: raised }: EtcdView): readonly Finding[] =>
  raised.map(({ member, kind }) =>
    finding('etcd-alarm', {
      subject: `etcd member ${member}`,
      message: `alarm ${kind} is raised by ${member}`,
      remedy:
        kind === 'NOSPACE'
          ? 'Compact, defragment member by member, raise the quota if it is too small, then disarm the alarm.'
          : 'Take the member out and replace it from a healthy one; compare hashes before anything else.',
    }),
  );

function quorumFindings(voters: number, healthy: number, quorum: number): readonly Finding[] {
  const standing = `${healthy} of ${plural(voters, 'member')} healthy, quorum is ${quorum}`;
  if (healthy < quorum) {
    const remedy = 'Start the members that are down; where their data is lost, restore the newest snapshot.';
    return [finding('etcd-no-quorum', { subject: 'etcd', message: standing, remedy })];
  }
  // One or two members never survive a failure: that is told by their number.
  if (healthy > quorum || voters < 3) return [];
  const remedy = 'Replace the sick member before any other is touched.';
  return [finding('etcd-no-tolerance', { subject: 'etcd', message: standing, remedy })];
}

const sick = ({ name, reason }: EtcdMemberView): Finding =>
  finding('etcd-member-unhealthy', {
    subject: `etcd member ${name}`,
    message: `${name} is not healthy${reason === undefined ? '' : `: ${reason}`}`,
    remedy: 'Look at its log and its disk. Where it does not come back, replace it: sick members go first.',
  });

const learning = ({ name }: EtcdMemberView): Finding =>
  finding('etcd-learner', {
    subject: `etcd member ${name}`,
    message: `${name} is a learner`,
    remedy: 'Wait until it has caught up and is promoted; remove it where nobody is replacing a member.',
  });

function sizeFindings(voters: readonly EtcdMemberView[]): readonly Finding[] {
  const { length } = voters;
  const subject = 'etcd';
  const message = `etcd has ${plural(length, 'member')}`;
  if (length < 3) return [finding('etcd-few-members', { subject, message, remedy: 'Run 3 or 5 members.' })];
  if (length % 2 === 0) {
    const remedy = `Add or remove one: ${length - 1} survive as many failures as ${length}.`;
    return [finding('etcd-even-size', { subject, message, remedy })];
  }
  const zones = voters.flatMap(({ zone }) => zone ?? []);
  const crowded = zones.length === length ? zoneWithMajority(zones) : undefined;
  if (!crowded) return [];
  return [
    finding('etcd-zone-majority', {
      subject: `zone ${crowded.zone}`,
      message: `${crowded.count} of ${length} members are in ${crowded.zone}`,
      remedy: 'Spread the members over three zones.',
    }),
  ];
}

function roomFindings({ name, dbSizeBytes, quotaBytes, walFsyncP99 }: EtcdMemberView): readonly Finding[] {
  const subject = `etcd member ${name}`;
  const used = dbSizeBytes !== undefined && quotaBytes ? dbSizeBytes / quotaBytes : 0;
  const full = finding('etcd-near-quota', {
    subject,
    message: `the database of ${name} takes ${Math.round(used * 100)} % of its quota`,
    remedy: 'Find what writes so much (events, leases, a controller in a loop), compact and defragment.',
    ...(used >= 0.95 && { severity: 'error' as const }),
  });
  const slow = finding('etcd-slow-disk', {
    subject,
    message: `one fsync in a hundred of ${name} takes ${walFsyncP99} ms or more`,
    remedy: 'Give etcd a faster disk of its own.',
  });
  return [
    ...(used >= NEAR_QUOTA ? [full] : []),
    ...(walFsyncP99 !== undefined && walFsyncP99 >= SLOW_FSYNC ? [slow] : []),
  ];
}
