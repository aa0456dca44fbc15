import type { Component, ConfigProblem } from '#fleet';
import { digestOf } from '#kernel';
import { PATHS } from '../layout/config-layout.js';
import { isKarpenterProfile } from '../model/node-pool.model.js';
import { problem } from '../problems.js';
import { str } from '../template/values.js';
import { readObjects } from '../validation/objects.js';
import { DEFAULT_SETTINGS } from './render-components.js';
import { poolData, preparePool } from './render-stacks.js';
import type { StackContext } from './render-stacks.js';
import { withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** Karpenter's pools are Kubernetes objects, not stacks: each is a component, applied after all others. */
const WAVE = 1000;

export function karpenterComponents(context: StackContext, values: Values): readonly Component[] {
  return context.config.pools.flatMap((pool, index) => {
    if (!isKarpenterProfile(pool.profile)) return [];
    const file = PATHS.pool(pool.profile, 'provisioners.yaml');
    if (!context.files.has(file) || !context.files.has(PATHS.pool(pool.profile, 'userdata.yaml'))) {
      context.problems.add(problem('missing-file', `node pool ${pool.name} needs ${file} and userdata.yaml`, { file }));
      return [];
    }
    const prepared = preparePool(context, values, pool, index);
    if (!prepared) return [];
    // Karpenter takes user data as text; base64 is for launch templates.
    const own = withValue(prepared.values, 'UserData', str(prepared.userData));
    const rendered = context.problems.attempt(() => context.files.render(file, poolData(context, own, prepared.pool), undefined, PATHS.pool(pool.name, 'provisioners.yaml')));
    if (!rendered) return [];
    const { documents, problems } = context.files.read(rendered);
    const more: ConfigProblem[] = [];
    const objects = documents.flatMap((document) => readObjects(document, file, more));
    context.problems.add(...problems, ...more);
    const settings = { ...DEFAULT_SETTINGS, wave: WAVE };
    const digest = digestOf(JSON.stringify([settings, objects.map(({ object }) => object)]));
    return objects.length === 0 ? [] : [{ name: `node-pool-${pool.name}`, digest, objects, settings }];
  });
}
