import type { Component, ConfigProblem } from '#fleet';
import { digestOf } from '#kernel';
import { PATHS } from '../layout/config-layout.js';
import { isKarpenterProfile } from '../model/node-pool.model.js';
import { str } from '../template/values.js';
import { readObjects } from '../validation/objects.js';
import { DEFAULT_SETTINGS } from './render-components.js';
import { hasFiles, preparePool, renderOf } from './render-node-pools.js';
import type { StackContext } from './render-stacks.js';
import { withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** Karpenter's pools are Kubernetes objects, not stacks: each is a component, applied after all others. */
const WAVE = 1000;

export function karpenterComponents(context: StackContext, values: Values): readonly Component[] {
  return context.config.pools.flatMap((pool, index) => {
    if (!isKarpenterProfile(pool.profile)) return [];
    if (!hasFiles(context, pool, index, ['provisioners.yaml', 'userdata.yaml'])) return [];
    const file = PATHS.pool(pool.profile, 'provisioners.yaml');
    const prepared = preparePool(context, values, pool, index);
    if (!prepared) return [];
    // Karpenter takes user data as text; base64 is for launch templates.
    const own = withValue(prepared.values, 'UserData', str(prepared.userData));
    const rendered = renderOf(context, pool, 'provisioners.yaml', own, prepared.pool);
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
