/** Keeps real time out of tests: a process that the machine stops for half a minute finds all as it was. */
import { Socket } from 'node:net';
import { afterEach, beforeEach, vi } from 'vitest';

/** No socket, of a client or of a server, is closed for having been idle. */
function holdSockets(): void {
  vi.spyOn(Socket.prototype, 'setTimeout').mockReturnThis();
}

/** For a whole file: real time goes on, and ends no connection. */
export function keepSocketsOpen(): void {
  beforeEach(holdSockets);
}

/**
 * For a whole file: limits on requests and connections come when a test says so (`vi.advanceTimersByTime`), not when
 * the machine was slow. Sockets are real all the same.
 */
export function holdTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    holdSockets();
  });
  afterEach(() => void vi.useRealTimers());
}
