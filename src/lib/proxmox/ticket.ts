/** Login by password: one ticket shared by all requests, renewed in time. Must not know HTTP. */
import type { Clock } from '../clock.ts';
import { AuthError } from './errors.ts';

/** A ticket lives two hours on the server (AccessControl.pm, ticket_lifetime). */
const RENEW_AFTER_MS = 60 * 60 * 1000;
const USABLE_MS = 115 * 60 * 1000;

export interface Ticket {
  readonly ticket: string;
  readonly csrf: string;
}
interface Session extends Ticket {
  readonly since: number;
}

export class TicketKeeper {
  readonly #login: (password: string) => Promise<Ticket>;
  readonly #password: string;
  readonly #clock: Clock;
  #session: Session | undefined;
  #pending: Promise<Session> | undefined;

  constructor(login: (password: string) => Promise<Ticket>, password: string, clock: Clock) {
    this.#login = login;
    this.#password = password;
    this.#clock = clock;
  }

  /** The ticket to use now; many callers share one login. */
  async current(): Promise<Ticket> {
    const session = this.#session;
    if (session && this.#ageOf(session) < RENEW_AFTER_MS) return session;
    this.#pending ??= this.#renew(session).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** The server refused this ticket: the next call logs in anew, unless somebody already did. */
  discard(ticket: Ticket): void {
    if (this.#session === ticket) this.#session = undefined;
  }

  async #renew(old: Session | undefined): Promise<Session> {
    if (!old || this.#ageOf(old) >= USABLE_MS) return this.#start(this.#password);
    try {
      // PVE takes a valid ticket in place of the password.
      return await this.#start(old.ticket);
    } catch (error) {
      if (error instanceof AuthError) return this.#start(this.#password);
      return old;
    }
  }

  async #start(password: string): Promise<Session> {
    const since = this.#clock.now();
    this.#session = { ...(await this.#login(password)), since };
    return this.#session;
  }

  #ageOf(session: Session): number {
    return this.#clock.now() - session.since;
  }
}
