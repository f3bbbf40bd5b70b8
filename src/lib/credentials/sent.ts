/** What the column `sent` says: which mail a user got, per lab. Touches no file. */
import { createHash } from 'node:crypto';

export interface Handout {
  /** Empty: no lab in particular. */
  readonly lab: string;
  readonly to: string;
  /** Undefined: the directory keeps it. */
  readonly password: string | undefined;
}

interface Entry {
  readonly lab: string;
  readonly digest: string;
  readonly at: string;
}

const NO_LAB = '-';

/** Another address, or a new password, is another mail; a machine that has moved is none. */
function digestOf({ lab, to, password }: Handout): string {
  return createHash('sha256')
    .update(JSON.stringify([lab, to.toLowerCase(), password ?? null]))
    .digest('hex')
    .slice(0, 16);
}

/** `net/3f2a…/2026-11-28T14:00Z`, separated by blanks; what is none of that is passed over. */
function parse(sent = ''): Entry[] {
  return sent.split(/\s+/).flatMap((text) => {
    const [, lab = '', digest = '', at = ''] = /^([a-z0-9-]+)\/([0-9a-f]{16})\/(\S+)$/.exec(text) ?? [];
    return lab === '' ? [] : [{ lab, digest, at }];
  });
}

const labOf = ({ lab }: Handout): string => (lab === '' ? NO_LAB : lab);

export function wasSent(sent: string | undefined, handout: Handout): boolean {
  const digest = digestOf(handout);
  return parse(sent).some((entry) => entry.lab === labOf(handout) && entry.digest === digest);
}

/** The column with this mail in it; one per lab. `now`: milliseconds since the epoch. */
export function withSent(sent: string | undefined, handout: Handout, now: number): string {
  const others = parse(sent).filter(({ lab }) => lab !== labOf(handout));
  const at = `${new Date(now).toISOString().slice(0, 16)}Z`;
  const entries = [...others, { lab: labOf(handout), digest: digestOf(handout), at }];
  return entries.map((entry) => `${entry.lab}/${entry.digest}/${entry.at}`).join(' ');
}
