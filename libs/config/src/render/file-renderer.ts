import type { ConfigProblem, ConfigTree } from '#fleet';
import { sha256Hex } from '#kernel';
import { POOL_FUNCTIONS } from '../model/pool-functions.js';
import { Budget, DEFAULT_LIMITS } from '../template/budget.js';
import type { TemplateLimits } from '../template/budget.js';
import { RenderBudget } from '../template/render-budget.js';
import { toBytes, toText } from '../template/bytes.js';
import { callError, LimitError, TemplateError } from '../template/errors.js';
import { runTemplate } from '../template/execute.js';
import type { Lookups } from '../template/functions/aws.js';
import { dialectFunctions } from '../template/functions/index.js';
import { parseTemplate } from '../template/parse.js';
import type { Execution, Template } from '../template/scope.js';
import type { GoFunction, GoType, GoValue } from '../template/types.js';
import { ANY_MAP, pointerTo } from '../template/types.js';
import { pointer, struct } from '../template/values.js';
import { limitProblem, notRenderedProblem } from '../problems.js';
import { readDocuments } from './documents.js';
import type { ReadOptions } from './documents.js';
import { SourceMap } from './source-map.js';
import type { Chunk } from './source-map.js';

/** A rendered file: UTF-8 text, and the way back to the template's lines. */
export interface RenderedFile {
  readonly file: string;
  readonly text: string;
  readonly map: SourceMap;
}

/** Parsed templates by content, and rendered parts by digest; shared by all renders of a process. */
export interface RenderCache {
  get(key: string): unknown;
  /** `bytes`: about how much memory the value takes; `copyable`: plain data, of which an equal copy is as good. */
  set(key: string, value: unknown, bytes?: number, copyable?: boolean): void;
}

export interface FileRendererOptions {
  readonly lookups: Lookups;
  readonly limits?: Partial<TemplateLimits> | undefined;
  /** Of the whole render. */
  readonly budget: RenderBudget;
  readonly cache?: RenderCache | undefined;
  readonly duplicateKeys?: 'error' | 'warning' | undefined;
  /** Gets every rendered file: path of the output (a pool's files under the pool's name) and text. */
  readonly collect?: ((path: string, text: string) => void) | undefined;
}

/** A parsed template takes several times the memory of its text. */
const TEMPLATE_COST = 6;

const ROOT: GoType = { kind: 'struct', name: 'config.TemplateData' };
const CLUSTER_KEY = 'Cluster';

/** `.`: the pointer to {Cluster, Values, NodePool}. */
export const rootData = (cluster: GoValue, values: GoValue, nodePool: GoValue): GoValue =>
  pointer(
    struct(
      ROOT,
      new Map([
        [CLUSTER_KEY, cluster],
        ['Values', values],
        ['NodePool', nodePool],
      ]),
    ),
  );

export const NO_VALUES: GoValue = { t: ANY_MAP, v: null };
export const nilPointer = (type: GoType): GoValue => ({ t: pointerTo(type), v: null });

const KNOWN: ReadonlySet<string> = new Set([
  ...dialectFunctions(
    { amiId: () => '', instanceType: () => ({ vcpus: 0, memoryBytes: 0 }) },
    () => '',
  ).keys(),
  ...POOL_FUNCTIONS.keys(),
]);
const knownFunctions = new Map<string, GoFunction>(
  [...KNOWN].map((name) => [name, { params: [], call: () => callError('not bound') }]),
);

const skipped = (file: string): TemplateError =>
  new TemplateError('skipped', `${file} is not rendered`, 'not rendered', { file, line: 1 });

/** Renders files of one tree for one cluster. A component's files are rendered once, however often they are hashed. */
export class FileRenderer {
  private hashing = false;

  constructor(
    private readonly tree: ConfigTree,
    private readonly options: FileRendererOptions,
  ) {}

  /** The documents of a rendered file, by the rules of this render. */
  read(
    rendered: RenderedFile,
    options: Pick<ReadOptions, 'cloudFormation'> = {},
  ): ReturnType<typeof readDocuments> {
    const { budget, duplicateKeys } = this.options;
    if (!budget.begin(rendered.file)) return { documents: [], problems: [] };
    try {
      budget.check();
      return readDocuments(rendered, { ...options, duplicateKeys });
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      return { documents: [], problems: [limitProblem(error.message, { file: rendered.file, line: 1 })] };
    }
  }

  /** What ended the render before all files were rendered, if anything did. */
  notRendered(): readonly ConfigProblem[] {
    const { spent, skipped } = this.options.budget;
    return spent && skipped.length > 0 ? [notRenderedProblem(spent, skipped)] : [];
  }

  /** What a key that a YAML map has twice is. */
  get duplicateKeys(): FileRendererOptions['duplicateKeys'] {
    return this.options.duplicateKeys;
  }

  has(file: string): boolean {
    return this.tree.files.has(file);
  }

  source(file: string): string | undefined {
    return this.tree.files.get(file);
  }

  /**
   * Throws TemplateError. `siblings` are the files that `manifestHash` may name, with what is rendered of them; `as` is
   * the path of the output where it differs from the template's.
   */
  render(file: string, data: GoValue, siblings?: Map<string, RenderedFile>, as = file): RenderedFile {
    const known = siblings?.get(file);
    if (known) return known;
    if (!this.options.budget.begin(file)) throw skipped(file);
    const template = this.parsed(file);
    const functions = new Map<string, GoFunction>([
      ...dialectFunctions(this.options.lookups, (name) => this.hash(file, toText(name), data, siblings)),
      ...POOL_FUNCTIONS,
    ]);
    const budget = new Budget({ ...DEFAULT_LIMITS, ...this.options.limits }, undefined, this.options.budget);
    const { out, nodes } = this.run(template, data, functions, budget);
    const bytes = out.join('');
    const chunks: Chunk[] = [];
    let at = 0;
    out.forEach((piece, index) => {
      const node = nodes[index];
      chunks.push({ out: at, source: node?.pos ?? 0, verbatim: node?.kind === 'text' });
      at += piece.length;
    });
    const rendered = { file, text: toText(bytes), map: new SourceMap(bytes, template.text, chunks) };
    siblings?.set(file, rendered);
    this.options.collect?.(as, rendered.text);
    return rendered;
  }

  /** A last settlement that passes the limit is met by whoever begins the next file. */
  private run(
    template: Template,
    data: GoValue,
    functions: ReadonlyMap<string, GoFunction>,
    budget: Budget,
  ): Execution {
    const execution = runTemplate(template, data, { functions, budget });
    try {
      budget.settle();
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
    }
    return execution;
  }

  private parsed(file: string): Template {
    const text = this.tree.files.get(file);
    if (text === undefined) {
      throw new TemplateError(
        'exec',
        `template file not found: ${file}`,
        `template file not found: ${file}`,
        {
          file,
          line: 1,
        },
      );
    }
    const key = `template ${file} ${sha256Hex(text)}`;
    const known = this.options.cache?.get(key) as Template | undefined;
    if (known) return known;
    const template = parseTemplate(file, text, { functions: knownFunctions });
    this.options.cache?.set(key, template, text.length * TEMPLATE_COST);
    return template;
  }

  /** Hash of a rendered sibling. Not re-entrant, as in CLM, so that two files cannot hash each other for ever. */
  private hash(
    from: string,
    name: string,
    data: GoValue,
    siblings: Map<string, RenderedFile> | undefined,
  ): string {
    if (this.hashing) return callError('manifestHash is not reentrant');
    const directory = from.slice(0, from.lastIndexOf('/') + 1);
    const path = name.replace(/^(\.\/)+/, '');
    if (!siblings || path.includes('/') || !this.tree.files.has(directory + path)) {
      return callError(toBytes(`template file not found: ${directory}${path}`));
    }
    this.hashing = true;
    try {
      return sha256Hex(this.render(directory + path, data, siblings).text);
    } catch (error) {
      if (error instanceof TemplateError) return callError(toBytes(error.message));
      throw error;
    } finally {
      this.hashing = false;
    }
  }
}
