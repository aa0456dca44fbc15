export interface GraphWork {
  readonly ids: readonly string[];
  /** Ids that have to be done before; others than `ids` are ignored. */
  needs(id: string): readonly string[];
  perform(id: string, done: (ok: boolean) => void): void;
  /** Called once, when nothing runs any more. After a failure nothing new is started. */
  finished(failed: readonly string[]): void;
}

/** Does work in the order that a graph needs, as much side by side as it allows. */
export function runGraph(work: GraphWork): void {
  const open = new Set(work.ids);
  const unfinished = new Set(work.ids);
  const failed: string[] = [];
  let running = 0;
  let over = false;
  const step = (): void => {
    for (const id of open) {
      if (failed.length > 0 || !open.has(id) || work.needs(id).some((needed) => unfinished.has(needed)))
        continue;
      open.delete(id);
      running++;
      work.perform(id, (ok) => {
        running--;
        if (ok) unfinished.delete(id);
        else failed.push(id);
        step();
      });
    }
    if (running === 0 && !over) {
      over = true;
      work.finished(failed);
    }
  };
  step();
}
