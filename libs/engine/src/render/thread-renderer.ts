import { setImmediate as turn } from 'node:timers/promises';
import type { Component, ConfigProblem, ConfigTree, DesiredState } from '#fleet';
import { err, fail, ok, type Result } from '#kernel';
import type { RenderInput } from '#config';
import { RENDER_TIME_LIMIT } from './inline-renderer.js';
import { KEPT_COMPONENT_BYTES, RecentParts } from './recent-parts.js';
import type { Answer, Job, RenderAnswer, TreeName } from './render-protocol.js';
import { RenderThread, type Stopped } from './render-thread.js';
import type { Renderer, RendererOptions, RenderResult } from './renderer.js';

export interface ThreadRendererOptions extends RendererOptions {
  /** Heap of the thread in MiB. */
  readonly memoryMb?: number | undefined;
}

const MEMORY_MB = 128;
/** Trees that the thread keeps: the revisions that a rollout is between, and one more channel's. */
const KEPT_TREES = 3;
/** Characters sent at once; the process answers others between two parts. */
const PART = 1024 * 1024;
/** How long a tree that broke the thread is not tried again, for whatever cluster. */
const SHUNNED_MS = 60_000;

interface Shunned {
  readonly problem: ConfigProblem;
  readonly until: number;
}

type Answered<W extends Answer['what']> = Extract<Answer, { what: W }>['answer'];

/**
 * Renders in a thread of its own, one job after the other, so that a configuration that takes long or too much memory costs
 * nobody but itself. A thread that does not keep to its limits is killed and replaced.
 */
export class ThreadRenderer implements Renderer {
  private readonly timeLimit: number;
  private readonly memoryMb: number;
  private thread: RenderThread;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly ids = new WeakMap<ReadonlyMap<string, string>, number>();
  private lastId = 0;
  private sent: number[] = [];
  private components = new RecentParts<Component>(KEPT_COMPONENT_BYTES);
  private readonly shunned = new WeakMap<ReadonlyMap<string, string>, Shunned>();

  constructor(private readonly options: ThreadRendererOptions = {}) {
    this.timeLimit = options.timeLimit ?? RENDER_TIME_LIMIT;
    this.memoryMb = options.memoryMb ?? MEMORY_MB;
    this.thread = this.start();
  }

  async render({ tree, ...input }: RenderInput): Promise<RenderResult> {
    const job = (name: TreeName): Job => ({ what: 'render', tree: name, input });
    const done = await this.ask(tree, job, (answer) => this.unpacked(answer as RenderAnswer));
    return done.ok ? done.value : err([done.error]);
  }

  async lookups(...[tree, cluster, overrides]: Parameters<Renderer['lookups']>) {
    const job = (name: TreeName): Job => ({ what: 'lookups', tree: name, cluster, overrides });
    return (await this.need(tree, job)) as Answered<'lookups'>;
  }

  async explain({ tree, ...input }: RenderInput) {
    return (await this.need(tree, (name) => ({ what: 'explain', tree: name, input }))) as Answered<'explain'>;
  }

  async close(): Promise<void> {
    await this.thread.close();
  }

  private start(): RenderThread {
    const { duplicateKeys } = this.options;
    this.sent = [];
    this.components = new RecentParts(KEPT_COMPONENT_BYTES);
    return new RenderThread({ duplicateKeys, timeLimit: this.timeLimit }, this.timeLimit, this.memoryMb);
  }

  private async need(tree: ConfigTree, job: (name: TreeName) => Job): Promise<Answer['answer']> {
    const done = await this.ask(tree, job, (answer) => answer);
    if (done.ok) return done.value;
    const { code, message, file, hint } = done.error;
    return fail({ class: 'invalid', code, message, place: { file }, ...(hint !== undefined && { hint }) });
  }

  /** One job at a time, in the order asked. */
  private ask<T>(tree: ConfigTree, job: (name: TreeName) => Job, take: (answer: Answer['answer']) => T) {
    const turnOf = this.queue.then(() => this.work(tree, job, take));
    this.queue = turnOf.catch(() => undefined);
    return turnOf;
  }

  private async work<T>(
    tree: ConfigTree,
    job: (name: TreeName) => Job,
    take: (answer: Answer['answer']) => T,
  ): Promise<Result<T, ConfigProblem>> {
    const shunned = this.shunned.get(tree.files);
    if (shunned && performance.now() < shunned.until) return err(shunned.problem);
    if (!this.thread.alive) this.thread = this.start();
    const ended = await this.thread.run(job(await this.send(tree)));
    if (ended.kind === 'answer') return ok(take(ended.answer.answer));
    await this.thread.close();
    this.thread = this.start();
    if (ended.why === 'crash') throw ended.error;
    const problem = this.problemOf(tree, ended);
    this.shunned.set(tree.files, { problem, until: performance.now() + SHUNNED_MS });
    return err(problem);
  }

  /** The thread gets a tree when it is first asked about it. */
  private async send({ commit, treeDigest, files }: ConfigTree): Promise<TreeName> {
    const id = this.ids.get(files) ?? (this.lastId += 1);
    this.ids.set(files, id);
    const known = this.sent.includes(id);
    this.sent = [id, ...this.sent.filter((other) => other !== id)];
    if (!known) await this.sendParts(id, files);
    for (const old of this.sent.splice(KEPT_TREES)) this.thread.post({ kind: 'drop-tree', id: old });
    return { id, commit, treeDigest };
  }

  private async sendParts(id: number, files: ReadonlyMap<string, string>): Promise<void> {
    let part: [string, string][] = [];
    let length = 0;
    for (const [path, text] of files) {
      part.push([path, text]);
      length += path.length + text.length;
      if (length < PART) continue;
      this.thread.post({ kind: 'tree-part', id, files: part });
      [part, length] = [[], 0];
      await turn();
    }
    this.thread.post({ kind: 'tree-part', id, files: part });
  }

  private unpacked(answer: RenderAnswer): RenderResult {
    if (!answer.ok) return err(answer.problems);
    const components = answer.components.map(({ id, json }) => {
      if (json === undefined) return this.components.get(id) as Component;
      const component = JSON.parse(json) as Component;
      this.components.add(id, component, json.length);
      return component;
    });
    return ok({ ...answer.state, components } satisfies DesiredState);
  }

  private problemOf({ files }: ConfigTree, { why, place }: Stopped): ConfigProblem {
    const file = [...files.keys()][place] ?? 'cluster/';
    const limit = why === 'memory' ? `${this.memoryMb} MiB of memory` : `${this.timeLimit / 1000} s`;
    return {
      severity: 'error',
      code: why === 'memory' ? 'render-memory' : 'render-time',
      message: `rendering was stopped at this file, because it takes more than ${limit}; nothing after it was rendered`,
      file,
      line: 1,
      hint: 'Make the file smaller, or split it.',
    };
  }
}
