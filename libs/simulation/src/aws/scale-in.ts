import { counted, type Group, type GroupInstance } from './auto-scaling-model.js';
import type { LaunchTemplates } from './launch-templates.js';

export interface ZoneCount {
  readonly zone: string;
  readonly count: number;
}

/** Zones from the emptiest to the fullest; equal ones by name. */
export function byZone(group: Group, zones: Iterable<string>): ZoneCount[] {
  const live = counted(group);
  return [...zones]
    .map((zone) => ({ zone, count: live.filter((member) => member.zone === zone).length }))
    .sort((a, b) => a.count - b.count || (a.zone < b.zone ? -1 : 1));
}

/**
 * AWS's default termination policy: the zone with most instances that has one without protection, there
 * the oldest launch template or version, then the oldest instance. `NewestInstance` and `OldestInstance`
 * are honoured where they come first.
 */
export function pickForScaleIn(group: Group, templates: LaunchTemplates): GroupInstance | undefined {
  const candidates = counted(group).filter((member) => !member.protected);
  const zones = byZone(group, new Set(candidates.map(({ zone }) => zone)));
  const zone = zones.at(-1);
  if (!zone) return undefined;
  const current = currentTemplate(group, templates);
  const rank = (member: GroupInstance): number =>
    current && member.launchTemplate?.id === current.id ? member.launchTemplate.version : 0;
  const fullest = zones.filter(({ count }) => count === zone.count).map((entry) => entry.zone);
  const inZone = candidates.filter((member) => fullest.includes(member.zone));
  const age = group.terminationPolicies[0] === 'NewestInstance' ? -1 : 1;
  const byAgeOnly = /^(Newest|Oldest)Instance$/.test(group.terminationPolicies[0] ?? '');
  return inZone.sort(
    (a, b) =>
      (byAgeOnly ? 0 : rank(a) - rank(b)) ||
      age * (a.joinedAt - b.joinedAt) ||
      (a.instanceId < b.instanceId ? -1 : 1),
  )[0];
}

function currentTemplate(group: Group, templates: LaunchTemplates): { id: string } | undefined {
  if (!group.launchTemplate) return undefined;
  const { id, name } = group.launchTemplate;
  return templates.all().find((template) => template.id === id || template.name === name);
}
