/**
 * Those who look at the page: each is sent what changed since the state that he has, made once for all. Who does not
 * take it in is told the latest when he does, and nothing is kept for him meanwhile.
 */
import { changesBetween, type Parts } from '../render/parts.ts';

interface Viewer {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The state that he was sent last; undefined: none of this run. */
  version: string | undefined;
}

interface State {
  readonly version: string;
  readonly parts: Parts;
}

const BEAT = new TextEncoder().encode(':\n\n');

/** More than this is no class room. */
export const MOST_VIEWERS = 500;

export class Viewers {
  readonly #viewers = new Set<Viewer>();
  readonly #encoder = new TextEncoder();
  #now: State;
  #former: State | undefined;
  /** From the former state to this one, and from nothing; made when somebody needs it. */
  #step: Uint8Array | undefined;
  #whole: Uint8Array | undefined;

  constructor(now: State) {
    this.#now = now;
  }

  get count(): number {
    return this.#viewers.size;
  }

  show(state: State): void {
    this.#former = this.#now;
    this.#now = state;
    this.#step = undefined;
    this.#whole = undefined;
    for (const viewer of this.#viewers) this.#send(viewer);
  }

  /** Tells proxies and sockets that the connection is alive. */
  beat(): void {
    for (const { controller } of this.#viewers)
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(BEAT);
  }

  /** `since`: the state that he has. */
  join(since: string | undefined): ReadableStream<Uint8Array> {
    let viewer: Viewer | undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        viewer = { controller, version: since };
        this.#viewers.add(viewer);
        // Headers go out with the first bytes only.
        controller.enqueue(BEAT);
      },
      pull: () => {
        if (viewer) this.#send(viewer);
      },
      cancel: () => {
        if (viewer) this.#viewers.delete(viewer);
      },
    });
  }

  close(): void {
    for (const { controller } of this.#viewers) controller.close();
    this.#viewers.clear();
  }

  #send(viewer: Viewer): void {
    const { version } = this.#now;
    if (viewer.version === version || (viewer.controller.desiredSize ?? 0) <= 0) return;
    const isNext = viewer.version !== undefined && viewer.version === this.#former?.version;
    viewer.version = version;
    if (isNext) this.#step ??= this.#event(this.#former);
    else this.#whole ??= this.#event(undefined);
    const event = isNext ? this.#step : this.#whole;
    if (event) viewer.controller.enqueue(event);
  }

  /** JSON is one line. */
  #event(former: State | undefined): Uint8Array {
    const { version, parts } = this.#now;
    const changes = JSON.stringify(changesBetween(former?.parts, parts));
    return this.#encoder.encode(`id: ${version}\nevent: parts\ndata: ${changes}\n\n`);
  }
}
