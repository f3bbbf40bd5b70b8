/**
 * The sessions of one command: each connection is opened once, whoever asks first, and all are closed in every end.
 * Shows nothing itself.
 */
import type { StandError } from '../lib/errors.ts';
import { otherPlatform } from '../lib/config/connections/platform.ts';
import type { Connection } from '../lib/config/types.ts';
import type { GlobalFlags } from './options.ts';
import { openSession, type AnySession, type Session } from './session.ts';
import type { ProgramIo } from './io.ts';
import { toStandError } from './stand-error.ts';

type Opening = Omit<Parameters<typeof openSession>[2], 'connection'>;

export class Sessions {
  readonly #io: ProgramIo;
  readonly #flags: GlobalFlags;
  readonly #opening: Opening;
  readonly #opened = new Map<string, Promise<AnySession>>();

  constructor(io: ProgramIo, flags: GlobalFlags, opening: Opening) {
    this.#io = io;
    this.#flags = flags;
    this.#opening = opening;
  }

  /** A name of the connections file, or a connection that a file of another tool describes. */
  connectAny(connection: string | Connection | undefined = this.#flags.connection): Promise<AnySession> {
    const given = typeof connection === 'object' ? connection : undefined;
    const name = typeof connection === 'object' ? undefined : connection;
    const key = given ? `env-file ${given.name}` : (name ?? '');
    const known = this.#opened.get(key);
    if (known) return known;
    const flags = name === undefined ? this.#flags : { ...this.#flags, connection: name };
    const session = openSession(this.#io, flags, { ...this.#opening, connection: given });
    this.#opened.set(key, session);
    return session;
  }

  async connect(connection?: string): Promise<Session> {
    const session = await this.connectAny(connection);
    if (session.platform === 'pve') return session;
    throw otherPlatform(session.name, session.platform);
  }

  /** `failure`: what the command ends with. What goes wrong with one session keeps no other from being closed. */
  async close(failure: unknown, onTrouble: (error: StandError) => void): Promise<void> {
    for (const session of await Promise.allSettled(this.#opened.values()))
      if (session.status === 'fulfilled') await close(session.value, failure).catch(onTrouble);
  }
}

/** Rejects with a StandError only. */
async function close(session: AnySession, failure: unknown): Promise<void> {
  try {
    await session.close(failure);
  } catch (error) {
    throw toStandError(error);
  }
}
