import type { Component, ComponentSettings, ConfigProblem, ConfigTree, SourcedObject } from '#fleet';
import { digestOf, minutes, parseDuration } from '#kernel';
import { componentsOf } from '../layout/config-layout.js';
import type { ComponentFiles } from '../layout/config-layout.js';
import { problem, ProblemList } from '../problems.js';
import type { GoValue } from '../template/types.js';
import { isRecord } from '../validation/cloudformation.js';
import { readObjects } from '../validation/objects.js';
import { filesDigest } from './parts.js';
import type { FileRenderer, RenderCache, RenderedFile } from './file-renderer.js';

export const DEFAULT_SETTINGS: ComponentSettings = {
  dependsOn: [],
  wave: 0,
  timeoutMs: minutes(10),
  health: 'wait',
  prune: true,
  removed: false,
  ignore: [],
};

/** A rendered component, and what is wrong with it. Cached as a whole. */
export interface RenderedComponent {
  readonly component?: Component;
  /** Of a component that is not valid: what could be read of it, which may have faults of its own. */
  readonly readable?: readonly SourcedObject[];
  readonly problems: readonly ConfigProblem[];
}

export interface ComponentContext {
  readonly tree: ConfigTree;
  readonly files: FileRenderer;
  readonly data: GoValue;
  /** Digest of everything but the component's own files that its rendering can depend on. */
  readonly contextKey: string;
  /** Of that, what the reading of YAML can depend on. */
  readonly readingKey: string;
  readonly cache?: RenderCache | undefined;
}

/** Renders all components; those whose files and context are as before come from the cache. */
export function renderComponents(context: ComponentContext): readonly RenderedComponent[] {
  const found = componentsOf(context.tree);
  const names = new Set(found.map(({ name }) => name));
  return found.map((files) => {
    const depends = isPlain(context.tree, files) ? context.readingKey : context.contextKey;
    const key = `component ${files.name} ${depends} ${filesKey(context.tree, files)}`;
    const known = context.cache?.get(key) as RenderedComponent | undefined;
    const rendered = known ?? renderComponent(context, files);
    if (!known) context.cache?.set(key, rendered, OBJECT_COST * textBytes(context.tree, files), true);
    return withKnownDependencies(rendered, names, files);
  });
}

/** Without any action a component is the same for all clusters, which then share it. */
const isPlain = (tree: ConfigTree, { manifests, settings }: ComponentFiles): boolean =>
  [...manifests, ...(settings ? [settings] : [])].every((path) => !tree.files.get(path)?.includes('{{'));

/** Objects take several times the memory of the text that they come from. */
const OBJECT_COST = 4;
const textBytes = (tree: ConfigTree, { manifests }: ComponentFiles): number =>
  manifests.reduce((sum, path) => sum + (tree.files.get(path)?.length ?? 0), 1024);

const filesKey = (tree: ConfigTree, { all }: ComponentFiles): string => filesDigest(tree, all);

function renderComponent(context: ComponentContext, paths: ComponentFiles): RenderedComponent {
  const problems = new ProblemList();
  const siblings = new Map<string, RenderedFile>();
  const objects: SourcedObject[] = [];
  let settings = DEFAULT_SETTINGS;
  for (const path of [...paths.manifests, ...(paths.settings ? [paths.settings] : [])]) {
    const rendered = problems.attempt(() => context.files.render(path, context.data, siblings));
    if (!rendered) continue;
    const { documents, problems: faults } = context.files.read(rendered);
    const more: ConfigProblem[] = [];
    const first = documents[0];
    if (path === paths.settings && first && isRecord(first.value) && first.value['kind'] === undefined) {
      settings = readSettings(first.value, path, more);
    } else objects.push(...documents.flatMap((document) => readObjects(document, path, more)));
    problems.add(...faults, ...more);
  }
  const found = problems.errors;
  if (found.length > 0 || (objects.length === 0 && !settings.removed))
    return { readable: objects, problems: found };
  const digest = digestOf(JSON.stringify([settings, objects.map(({ object }) => object)]));
  return { component: { name: paths.name, digest, objects, settings }, problems: [] };
}

function readSettings(
  value: Readonly<Record<string, unknown>>,
  file: string,
  problems: ConfigProblem[],
): ComponentSettings {
  const complain = (field: string, what: string): void => {
    problems.push(problem('component-settings', `${field} ${what}`, { file, line: 1, field }));
  };
  const texts = (field: string): readonly string[] => {
    const list = value[field] ?? [];
    if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list as string[];
    complain(field, 'must be a list of texts');
    return [];
  };
  const flag = (field: string, initial: boolean): boolean => {
    const given = value[field] ?? initial;
    if (typeof given !== 'boolean') complain(field, 'must be true or false');
    return given === true;
  };
  const known = ['dependsOn', 'wave', 'timeout', 'health', 'prune', 'removed', 'ignore'];
  for (const field of Object.keys(value))
    if (!known.includes(field)) complain(field, `is unknown; known are ${known.join(', ')}`);
  const timeout =
    value['timeout'] === undefined ? DEFAULT_SETTINGS.timeoutMs : parseDuration(String(value['timeout']));
  if (timeout === undefined) complain('timeout', 'must be a duration such as 10m');
  const wave = value['wave'] ?? 0;
  if (!Number.isSafeInteger(wave)) complain('wave', 'must be a whole number');
  const health = value['health'] ?? 'wait';
  if (health !== 'wait' && health !== 'ignore') complain('health', 'must be wait or ignore');
  return {
    dependsOn: texts('dependsOn'),
    wave: Number(wave),
    timeoutMs: timeout ?? DEFAULT_SETTINGS.timeoutMs,
    health: health === 'ignore' ? 'ignore' : 'wait',
    prune: flag('prune', true),
    removed: flag('removed', false),
    ignore: texts('ignore'),
  };
}

/** A dependency on a component that the repository does not have can never be met. */
function withKnownDependencies(
  rendered: RenderedComponent,
  names: ReadonlySet<string>,
  files: ComponentFiles,
): RenderedComponent {
  const missing = rendered.component?.settings.dependsOn.filter((name) => !names.has(name)) ?? [];
  if (missing.length === 0) return rendered;
  return {
    readable: rendered.component?.objects ?? [],
    problems: [
      ...rendered.problems,
      ...missing.map((name) =>
        problem('unknown-dependency', `dependsOn names the component ${name}, which does not exist`, {
          file: files.settings ?? files.name,
          line: 1,
          field: 'dependsOn',
        }),
      ),
    ],
  };
}
