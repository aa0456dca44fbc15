import { minutes, seconds, type Duration } from '#kernel';
import type { Cancel, Scheduler } from '../../time/scheduler.js';

export type PullResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface ImageRegistryOptions {
  readonly scheduler: Scheduler;
  /** Pulls served at the same time, by the whole registry. */
  readonly slots?: number;
  /** One pull without contention. */
  readonly pullTime?: Duration;
  readonly pullTimes?: ReadonlyMap<string, Duration>;
  /** How long a pull may wait for a slot before it is refused with 429. */
  readonly patience?: Duration;
  /** Why an image cannot be had; undefined where it can. Default: names that contain `does-not-exist`. */
  readonly broken?: (image: string) => string | undefined;
}

interface Waiting {
  readonly image: string;
  readonly done: (result: PullResult) => void;
  readonly giveUp: Cancel;
}

const missing = (image: string): string | undefined =>
  image.includes('does-not-exist')
    ? `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": not found`
    : undefined;

/** A registry that carries so many pulls at a time; the others queue, and those that wait too long are turned away. */
export class ImageRegistry {
  private readonly waiting: Waiting[] = [];
  private readonly slots: number;
  private active = 0;
  /** What the registry has seen so far: proof for throttling stories. */
  readonly stats = { pulls: 0, refused: 0, maxActive: 0, maxWaiting: 0 };

  constructor(private readonly options: ImageRegistryOptions) {
    this.slots = options.slots ?? 40;
  }

  pull(image: string, done: (result: PullResult) => void): void {
    const why = (this.options.broken ?? missing)(image);
    if (why !== undefined) {
      this.options.scheduler.after(seconds(1), () => done({ ok: false, message: why }));
      return;
    }
    const giveUp = this.options.scheduler.after(this.options.patience ?? minutes(5), () =>
      this.refuse(entry),
    );
    const entry: Waiting = { image, done, giveUp };
    this.waiting.push(entry);
    this.stats.maxWaiting = Math.max(this.stats.maxWaiting, this.waiting.length);
    this.next();
  }

  private refuse(entry: Waiting): void {
    const index = this.waiting.indexOf(entry);
    if (index < 0) return;
    this.waiting.splice(index, 1);
    this.stats.refused++;
    const message = `failed to pull and unpack image "${entry.image}": unexpected status: 429 Too Many Requests`;
    entry.done({ ok: false, message });
  }

  private next(): void {
    while (this.active < this.slots) {
      const entry = this.waiting.shift();
      if (!entry) return;
      entry.giveUp();
      this.active++;
      this.stats.pulls++;
      this.stats.maxActive = Math.max(this.stats.maxActive, this.active);
      const time = this.options.pullTimes?.get(entry.image) ?? this.options.pullTime ?? seconds(4);
      this.options.scheduler.after(time, () => {
        this.active--;
        entry.done({ ok: true });
        this.next();
      });
    }
  }
}
