/** `serve` in this process: requests without a socket, on the time of the simulated cluster. */
import type { ProcessSignal } from '../../src/commands/io.ts';
import { inProcess } from '../../src/lib/proxmox/transports/in-process.ts';
import { NotSent, type Connect } from '../../src/lib/proxmox/transports/types.ts';
import type { Answer, Place } from '../../src/lib/serve/types.ts';
import { runCli, type Cluster, type RunOptions, type RunOutcome } from './harness.ts';

export interface Serving {
  readonly place: Place;
  /** Asks as a browser of this machine, unless the headers say otherwise. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  post(path: string, form: Readonly<Record<string, string>>): Promise<Response>;
  /** Whatever else can be sent. */
  send(path: string, init: RequestInit): Promise<Response>;
  signal(name: ProcessSignal): void;
  /** From now on nobody is found there, or somebody is again. */
  setAway(isAway: boolean): void;
  /** It listens no more. */
  isClosed(): boolean;
}

/** Serves until `work` is done and has given a signal. */
export async function whileServing(
  argv: readonly string[],
  cluster: Cluster,
  work: (serving: Serving) => Promise<void>,
  options: RunOptions = {},
): Promise<RunOutcome> {
  let send: (name: ProcessSignal) => void = () => undefined;
  let answer: Answer | undefined;
  let place: Place = { host: '', port: 0 };
  let isAway = false;
  let working: Promise<void> | undefined;
  const connect: Connect = (host, given) => {
    const transport = inProcess(cluster.serve, cluster.time)(host, given);
    return {
      ...{ host, close: () => transport.close() },
      send: (...request) =>
        isAway
          ? Promise.reject(new NotSent([{ kind: 'said', words: `connect ECONNREFUSED ${host.label}` }]))
          : transport.send(...request),
    };
  };
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    if (!answer) throw new Error('nobody listens');
    const headers = { host: `127.0.0.1:${place.port}`, ...(init.headers as Record<string, string>) };
    return answer(
      new Request(`http://127.0.0.1:${place.port}${path}`, { redirect: 'manual', ...init, headers }),
    );
  };
  const serving: Serving = {
    get place() {
      return place;
    },
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, form) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      }),
    send: ask,
    signal: (name) => send(name),
    setAway: (value) => (isAway = value),
    isClosed: () => answer === undefined,
  };
  const outcome = await runCli(argv, cluster, {
    connect,
    ...options,
    onSignaller: (signal) => (send = signal),
    listen: (given, where) => {
      [answer, place] = [given, { ...where, port: where.port || 8080 }];
      return Promise.resolve({
        port: place.port,
        close: () => {
          answer = undefined;
          return Promise.resolve();
        },
      });
    },
    // Simulated time does not wait for a command that is still being loaded: the work begins with its first word.
    refuse: {
      stdout: () => {
        working ??= work(serving).finally(() => send('SIGTERM'));
        // Told when the command has ended.
        working.catch(() => undefined);
        return undefined;
      },
    },
  });
  await working;
  return outcome;
}

/** The events of a stream, one by one. */
export async function* eventsOf(response: Response): AsyncGenerator<Readonly<Record<string, string>>> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const fields = lines.filter((line) => !line.startsWith(':'));
      if (fields.length > 0)
        yield Object.fromEntries(fields.map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) ?? []));
    }
  }
}
