/** Keeps real time out of tests: a process that the machine stops for half a minute finds all as it was. */
import { Socket } from 'node:net';
import { afterEach, beforeEach, vi } from 'vitest';

/** No socket, of a client or of a server, is closed for having been idle: real time goes on, and ends no connection. */
export function holdSockets(): void {
  vi.spyOn(Socket.prototype, 'setTimeout').mockReturnThis();
}

/**
 * Limits on requests and connections come when a test says so (`vi.advanceTimersByTime`), not when the machine was slow.
 * Sockets are real all the same.
 */
export function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  holdSockets();
}

export function letTimeGo(): void {
  vi.useRealTimers();
}

/** For a whole file that setup.ts does not do it for. */
export function holdTimers(): void {
  beforeEach(holdTime);
  afterEach(letTimeGo);
}

/**
 * For a whole file in which libraries of others talk, that pace themselves by short times: only what is a limit never
 * comes.
 */
export function holdLimits(): void {
  beforeEach(() => {
    holdSockets();
    const { setTimeout } = globalThis;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((work: () => void, ms = 0, ...given: []) =>
      ms < 1000 ? setTimeout(work, ms, ...given) : setTimeout(() => undefined, 2 ** 31 - 1).unref(),
    );
  });
}
