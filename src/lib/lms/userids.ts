/** Chooses the userids of the people of a course: legal for PVE, good for a pool, each once. Pure. */
import { configError } from '../config/input/issues.ts';
import { RESERVED_POOLS } from '../config/input/names.ts';
import { LegalUserids } from '../config/users/legal-userid.ts';
import type { ConfigIssue } from '../errors.ts';
import { compareText } from '../order.ts';
import { isLetterFirst, parentPool, poolNameProblem } from '../pve-values/pool-name.ts';
import { nameIn, parseUserId } from '../pve-values/userid.ts';
import { nameOf, type Person } from './person.ts';

const USERID_SOURCES = ['email', 'username', 'sisid', 'idnumber'] as const;
export type UseridFrom = (typeof USERID_SOURCES)[number];

export interface UseridWant {
  readonly realm: string;
  /** Absent: the first of these that a person has, else the name. */
  readonly from?: UseridFrom;
}

export interface Account {
  readonly userid: string;
  /** Only where the name of the userid is none for a pool. */
  readonly pool?: string;
}

/** What the userid is made of; of an address the part before the `@`. Undefined: this person has nothing of it. */
function sourceOf(person: Person, from: UseridFrom | undefined): string | undefined {
  const [first] = (from === undefined ? USERID_SOURCES : [from]).flatMap((source) => person[source] ?? []);
  const text = first ?? (from === undefined ? [person.firstName, person.lastName].join(' ').trim() : '');
  const name = text.replace(/@.*$/, '');
  return name === '' ? undefined : name;
}

function issueOf(person: Person, message: string, hint: string): ConfigIssue {
  const [, file = person.place, line] = /^(.*):(\d+)$/.exec(person.place) ?? [];
  return {
    file,
    ...(line === undefined ? {} : { line: Number(line) }),
    path: '',
    message,
    value: nameOf(person),
    hint,
  };
}

function missing(person: Person, from: UseridFrom | undefined): ConfigIssue {
  const has = USERID_SOURCES.filter((source) => person[source] !== undefined);
  const instead =
    has.length === 0 ? 'leave --userid-from out: the name is taken' : `try --userid-from ${has.join(' or ')}`;
  return from === undefined
    ? issueOf(person, 'nothing of this person makes a userid', 'add a name or an address')
    : issueOf(person, `this person has no ${from}`, instead);
}

/** Who a directory knows under another name could not log in: nothing is changed there. */
function inDirectory(
  person: Person,
  name: string,
  realm: string,
  taken: ReadonlySet<string>,
): ConfigIssue | string {
  const userid = `${name}@${realm}`;
  if (!parseUserId(userid) || !/^[\x21-\x7e]+$/.test(name) || /[,;]/.test(name)) {
    const hint = `choose another --userid-from: it has to be the login in the directory behind ${realm}`;
    return issueOf(person, `${JSON.stringify(userid)} cannot be a userid of PVE`, hint);
  }
  if (!taken.has(userid.toLowerCase())) return userid;
  const hint = 'choose another --userid-from, or leave one of them out of the file';
  return issueOf(person, `${userid} is the userid of somebody else of this class already`, hint);
}

/** Whoever came first keeps the plain name: platforms number in that order, and files without numbers are taken as they are. */
function byNumber(people: readonly Person[]): readonly Person[] {
  const numbers = people.map(({ lmsId }) => lmsId ?? '');
  if (!numbers.every((number) => /^\d{1,15}$/.test(number))) return people;
  return people.toSorted((a, b) => Number(a.lmsId) - Number(b.lmsId) || compareText(a.place, b.place));
}

/** On every version of PVE, and below no other pool. */
function isLegalFlat(pool: string): boolean {
  return poolNameProblem(pool) === undefined && parentPool(pool) === undefined && isLetterFirst(pool);
}

/** `taken`: userids and pools that there are already. Throws a ConfigError that names all who cannot get one. */
export function chooseUserids(
  people: readonly Person[],
  { realm, from }: UseridWant,
  taken: readonly string[],
): ReadonlyMap<Person, Account> {
  const names = [...taken.map((one) => (one.includes('@') ? nameIn(one) : one)), ...RESERVED_POOLS];
  const legal = new LegalUserids(names);
  const userids = new Set(taken.map((userid) => userid.toLowerCase()));
  const issues: ConfigIssue[] = [];
  const chosen = new Map<Person, Account>();
  for (const person of byNumber(people)) {
    const name = sourceOf(person, from);
    const found =
      name === undefined
        ? missing(person, from)
        : realm === 'pve'
          ? legal.another(name.toLowerCase(), realm)
          : inDirectory(person, name, realm, userids);
    if (typeof found !== 'string') {
      issues.push(found);
      continue;
    }
    userids.add(found.toLowerCase());
    const pool = realm === 'pve' ? nameIn(found) : nameIn(legal.another(nameIn(found), realm));
    chosen.set(person, {
      userid: found,
      ...(pool === nameIn(found) && isLegalFlat(pool) ? {} : { pool }),
    });
  }
  if (issues.length > 0) throw configError(issues);
  return chosen;
}
