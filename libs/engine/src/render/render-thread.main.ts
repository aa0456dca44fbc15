import { parentPort, workerData } from 'node:worker_threads';
import type { Component, ConfigTree } from '#fleet';
import { sha256Hex } from '#kernel';
import { ownThread } from './cpu-time.js';
import { createInlineRenderer } from './inline-renderer.js';
import { KEPT_COMPONENT_BYTES, RecentParts } from './recent-parts.js';
import type {
  Answer,
  FromThread,
  Job,
  RenderAnswer,
  ThreadStart,
  ToThread,
  TreeName,
} from './render-protocol.js';
import type { RenderResult } from './renderer.js';

/** The render thread: one job after the other, so that the process beside it is always free to answer. */
const port = parentPort;
if (!port) throw new Error('this file is the main file of a thread');
const { options, progress, cacheBytes } = workerData as ThreadStart;

interface KnownTree {
  readonly files: Map<string, string>;
  /** Place of each file among the files, once all have come. */
  readonly places: Map<string, number>;
  readonly byCommit: Map<string, ConfigTree>;
}

const trees = new Map<number, KnownTree>();
const at = new Int32Array(progress);
let places: ReadonlyMap<string, number> = new Map();
const renderer = createInlineRenderer({
  ...options,
  cacheBytes,
  progress: (file) => Atomics.store(at, 0, places.get(file) ?? -1),
});

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'tree-part':
      addPart(message.id, message.files);
      break;
    case 'drop-tree':
      trees.delete(message.id);
      break;
    case 'job':
      void answer(message.job);
  }
});
say({ kind: 'ready', thread: ownThread() });

function say(message: FromThread): void {
  port?.postMessage(message);
}

function addPart(id: number, files: readonly (readonly [string, string])[]): void {
  const tree = trees.get(id) ?? { files: new Map(), places: new Map(), byCommit: new Map() };
  trees.set(id, tree);
  for (const [path, text] of files) {
    tree.places.set(path, tree.files.size);
    tree.files.set(path, text);
  }
}

/** One object for one commit, because what is derived from a tree is remembered by its object. */
function treeOf({ id, commit, treeDigest }: TreeName): ConfigTree {
  const known = trees.get(id);
  if (!known) throw new Error(`tree ${id} was never sent`);
  places = known.places;
  const tree = known.byCommit.get(commit) ?? { commit, treeDigest, files: known.files };
  known.byCommit.set(commit, tree);
  return tree;
}

async function answer(job: Job): Promise<void> {
  try {
    say({ kind: 'done', answer: await carryOut(job) });
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    say({ kind: 'broken', message, stack });
  } finally {
    Atomics.store(at, 0, -1);
  }
}

async function carryOut(job: Job): Promise<Answer> {
  const tree = treeOf(job.tree);
  switch (job.what) {
    case 'lookups':
      return { what: job.what, answer: await renderer.lookups(tree, job.cluster, job.overrides) };
    case 'explain':
      return { what: job.what, answer: await renderer.explain({ ...job.input, tree }) };
    case 'render':
      return { what: job.what, answer: packed(await renderer.render({ ...job.input, tree })) };
  }
}

function packed(result: RenderResult): RenderAnswer {
  if (!result.ok) return { ok: false, problems: result.error };
  const { components, ...state } = result.value;
  return { ok: true, state, components: components.map(sent) };
}

const kept = new RecentParts<true>(KEPT_COMPONENT_BYTES);
const names = new WeakMap<Component, string>();

/** An equal component that another cluster has is the same one. */
function sent(component: Component): Extract<RenderAnswer, { ok: true }>['components'][number] {
  const known = names.get(component);
  if (known !== undefined && kept.get(known)) return { id: known };
  const json = JSON.stringify(component);
  const id = known ?? sha256Hex(json);
  names.set(component, id);
  if (kept.get(id)) return { id };
  kept.add(id, true, json.length);
  return { id, json };
}
