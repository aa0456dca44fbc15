import { counted, groupSettings, groupTags, type GroupTag } from '../../auto-scaling-model.js';
import { list, props, tagRecord, text, type Props } from '../../props.js';
import type { ResourceState } from '../stack.js';
import type { ResourceContext, ResourceType } from './resource-type.js';

const templateState = (context: ResourceContext, id: string): ResourceState => {
  const template = context.aws.launchTemplates.find({ id });
  return {
    physicalId: id,
    attributes: {
      LaunchTemplateId: id,
      LatestVersionNumber: String(template.versions.at(-1)?.number),
      DefaultVersionNumber: String(template.defaultVersion),
    },
  };
};

const templateTags = (properties: Props): Record<string, string> =>
  Object.assign(
    {},
    ...list(properties['TagSpecifications']).map((spec) => tagRecord(props(spec)['Tags'])),
  ) as Record<string, string>;

/** New data is a new version; the default version stays. */
export const launchTemplateResource: ResourceType = {
  replaceOn: ['LaunchTemplateName'],
  create(context, properties) {
    const name = text(properties['LaunchTemplateName']) ?? context.generatedName();
    const tags = { ...context.tags, ...templateTags(properties) };
    const created = context.aws.launchTemplates.create(name, props(properties['LaunchTemplateData']), tags);
    return templateState(context, created.id);
  },
  update(context, state, properties) {
    context.aws.launchTemplates.addVersion({ id: state.physicalId }, props(properties['LaunchTemplateData']));
    return templateState(context, state.physicalId);
  },
  delete: (context, state) => void context.aws.launchTemplates.delete({ id: state.physicalId }),
};

const allTags = (context: ResourceContext, properties: Props): GroupTag[] => {
  const inherited = Object.entries(context.tags).map(([key, value]) => ({ key, value, propagate: true }));
  const own = groupTags(properties['Tags']);
  const names = new Set(own.map(({ key }) => key));
  return [...inherited.filter(({ key }) => !names.has(key)), ...own];
};

const groupState = (context: ResourceContext, name: string): ResourceState => ({
  physicalId: name,
  attributes: { Arn: context.aws.autoScaling.find(name).arn },
});

/**
 * An update writes every property of the template, the desired capacity included where the template
 * names it, and never replaces instances: that is somebody else's job.
 */
export const autoScalingGroupResource: ResourceType = {
  replaceOn: ['AutoScalingGroupName'],
  create(context, properties) {
    const name = text(properties['AutoScalingGroupName']) ?? context.generatedName();
    context.aws.autoScaling.create(name, groupSettings(properties), allTags(context, properties));
    return groupState(context, name);
  },
  update(context, state, properties, previous) {
    const { autoScaling } = context.aws;
    autoScaling.update(state.physicalId, groupSettings(properties));
    const wanted = allTags(context, properties);
    const keep = new Set(wanted.map(({ key }) => key));
    const dropped = groupTags(previous['Tags']).filter(({ key }) => !keep.has(key));
    autoScaling.deleteTags(
      state.physicalId,
      dropped.map(({ key }) => key),
    );
    autoScaling.putTags(state.physicalId, wanted);
    return groupState(context, state.physicalId);
  },
  delete(context, state) {
    if (context.aws.autoScaling.get(state.physicalId)) context.aws.autoScaling.delete(state.physicalId, true);
  },
  settled(context, state) {
    const group = context.aws.autoScaling.get(state.physicalId);
    if (!group) return `Group ${state.physicalId} is gone`;
    const failed = group.activities[0]?.status === 'Failed' ? group.activities[0].message : undefined;
    const enough = counted(group).filter((member) => member.state === 'InService').length >= group.minSize;
    const hopeless = failed !== undefined && !/capacity|protected/.test(failed);
    return enough ? true : hopeless ? `Group did not stabilize. ${failed}` : false;
  },
  gone: (context, state) => context.aws.autoScaling.get(state.physicalId) === undefined,
};
