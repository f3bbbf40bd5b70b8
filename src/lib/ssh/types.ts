/** SSH as those who want something from a node know it. Types only. */

export interface SshHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** How to prove who we are: every way that is given is offered, keys first. */
export interface SshLogin {
  /** Text of a private key. */
  readonly key?: string;
  readonly passphrase?: string;
  /** Socket of an agent. */
  readonly agent?: string;
  readonly password?: string;
}

/** Why a host did not answer as it should. `kind` groups hosts of one trouble; `words` hold no secret. */
export interface SshTrouble {
  readonly kind:
    'unknown-key' | 'changed-key' | 'revoked-key' | 'login' | 'silent' | 'unreachable' | 'answer';
  readonly words: string;
}

export type SshResult = { readonly output: string } | { readonly trouble: SshTrouble };
