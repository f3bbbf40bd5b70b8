/** People of a course → the text of users.yml, new or grown. What a person wrote there stays. Touches no file. */
import { isMap, isScalar, isSeq, parseDocument, Document, type YAMLMap, type YAMLSeq } from 'yaml';
import anyAscii from 'any-ascii';
import { groupBy } from '../group.ts';
import { pveTexts } from '../config/input/pve-text.ts';
import type { User } from '../config/types.ts';
import { contradicts, fullName, matchPeople, type Known } from './matching.ts';
import { nameOf, type People, type Person } from './person.ts';
import { chooseUserids, type UseridWant } from './userids.ts';

/** As the user of an import reads it. */
interface ImportedUser {
  readonly userid: string;
  readonly name: string;
}

export interface Imported {
  readonly text: string;
  readonly users: number;
  readonly added: readonly ImportedUser[];
  /** Known before, with something new about them. */
  readonly changed: readonly ImportedUser[];
  /** In the users file, and no longer in the course: kept. */
  readonly gone: readonly ImportedUser[];
  /** Names of groups that PVE has to have. */
  readonly groups: readonly string[];
  readonly warnings: readonly string[];
}

/** The users file that is there. */
export interface Present {
  readonly text: string;
  readonly users: readonly User[];
}

const HEAD = ` The users of a class, written by deploy-stand users import. It is yours to edit: an import
 with --merge keeps every userid, and whatever else you write here.`;

/** `Группа А` → `Gruppa-A`, as PVE takes it. */
function groupName(group: string): string {
  return anyAscii(group)
    .replaceAll(/['"\`]/g, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}

type Fields = Readonly<Record<string, string | readonly string[]>>;

function fieldsOf(person: Person, hasGroups: boolean): Fields {
  const { email, firstName, lastName, lmsId } = person;
  const groups = [...new Set(person.groups.map(groupName))].filter((group) => group !== '');
  const isKept = email !== undefined && email.includes('@') && pveTexts.email(email) === undefined;
  return {
    ...(isKept ? { email } : {}),
    ...(firstName === '' ? {} : { first_name: firstName }),
    ...(lastName === '' ? {} : { last_name: lastName }),
    ...(lmsId === undefined ? {} : { lms_id: lmsId }),
    ...(hasGroups && groups.length > 0 ? { groups } : {}),
  };
}

function addressWarnings(people: readonly Person[]): string[] {
  const odd = people.filter(({ email }) => email !== undefined && pveTexts.email(email) !== undefined);
  const [first, ...others] = odd;
  if (!first) return [];
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return [
    `${first.place}: PVE cannot keep the address ${JSON.stringify(first.email)}: it is left out${more}`,
  ];
}

function guessWarnings(guessed: readonly Person[]): string[] {
  const [first, ...others] = guessed;
  if (!first) return [];
  const more = others.length === 0 ? '' : `, and of ${others.length} more`;
  return [
    `${first.place}: several are called ${nameOf(first)} and nothing tells them apart; they are taken in the order of the file${more}`,
  ];
}

/** Without a number nothing shows whether a namesake with another address is somebody else. */
function namesakeWarnings(
  added: readonly { readonly userid: string; readonly person: Person }[],
  gone: readonly Known[],
): string[] {
  const left = groupBy(gone, (user) => fullName(user) ?? '');
  return added.flatMap(({ userid, person }) => {
    const [former] = left.get(fullName(person) ?? '\0') ?? [];
    if (!former || contradicts(person, former)) return [];
    return [
      `${person.place}: ${nameOf(person)} is new as ${userid}, and ${former.userid} of the same name has left the course: if it is one person with a new address, take ${userid} out of the users file and write that address at ${former.userid}`,
    ];
  });
}

function nodeOf(document: Document, value: unknown): unknown {
  const node = document.createNode(value);
  if (isSeq(node)) node.flow = true;
  return node;
}

function entryOf(document: Document, fields: Readonly<Record<string, unknown>>): YAMLMap {
  const entry = document.createNode({}) as YAMLMap; // what createNode makes of an object
  for (const [key, value] of Object.entries(fields)) entry.set(key, nodeOf(document, value));
  entry.flow = false;
  return entry;
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** True: something was new. A bare `name@realm` becomes a mapping. */
function update(document: Document, list: YAMLSeq, at: number, fields: Fields): boolean {
  const item = list.items[at];
  if (isScalar(item)) {
    if (Object.keys(fields).length === 0) return false;
    const entry = entryOf(document, { userid: item.value, ...fields });
    entry.commentBefore = item.commentBefore ?? null;
    entry.comment = item.comment ?? null;
    list.items[at] = entry;
    return true;
  }
  if (!isMap(item)) return false;
  const former = item.toJSON() as Readonly<Record<string, unknown>>; // checked before
  const news = Object.entries(fields).filter(([key, value]) => !same(former[key], value));
  for (const [key, value] of news) item.set(key, nodeOf(document, value));
  return news.length > 0;
}

/** The list of users: the document itself, or what stands under `users:`. */
function listOf(document: Document): YAMLSeq {
  const found = isMap(document.contents) ? document.get('users') : document.contents;
  if (isSeq(found)) return found;
  const list = document.createNode([]) as YAMLSeq;
  document.set('users', list);
  return list;
}

function knownOf(list: YAMLSeq): Known[] {
  return list.items.map((item): Known => {
    if (!isMap(item)) return { userid: isScalar(item) ? String(item.value) : '' };
    const text = (key: string): string | undefined => {
      const value: unknown = item.get(key);
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    };
    return {
      userid: text('userid') ?? '',
      email: text('email'),
      firstName: text('first_name'),
      lastName: text('last_name'),
      lmsId: text('lms_id'),
    };
  });
}

function emptyDocument(): Document {
  const document = new Document({ users: [] });
  document.commentBefore = HEAD;
  return document;
}

/** Throws a ConfigError when somebody cannot get a userid. `present` has been checked. */
export function importPeople(
  { people, warnings, hasGroups }: People,
  want: UseridWant,
  present: Present | undefined,
): Imported {
  const document = present ? parseDocument(present.text) : emptyDocument();
  const list = listOf(document);
  list.flow = false;
  const known = knownOf(list);
  const places = new Map(known.map((user, at) => [user, at]));
  const { matches, guessed } = matchPeople(people, known);
  const newcomers = people.filter((person) => !matches.has(person));
  const taken = (present?.users ?? []).flatMap(({ userid, pool }) => [userid, pool]);
  const accounts = chooseUserids(newcomers, want, taken);
  const changed = people.flatMap((person) => {
    const user = matches.get(person);
    if (!user) return [];
    const isNew = update(document, list, places.get(user) ?? -1, fieldsOf(person, hasGroups));
    return isNew ? [{ userid: user.userid, name: nameOf(person) }] : [];
  });
  const added = newcomers.flatMap((person) => {
    const account = accounts.get(person);
    if (!account) return [];
    list.add(entryOf(document, { ...account, ...fieldsOf(person, hasGroups) }));
    return [{ userid: account.userid, person }];
  });
  const seen = new Set(matches.values());
  const gone = known.filter((user) => !seen.has(user));
  const groups = hasGroups ? people.flatMap((person) => person.groups.map(groupName)) : [];
  return {
    text: document.toString({
      lineWidth: 0,
      flowCollectionPadding: present !== undefined && present.text.includes('{ '),
      singleQuote: true,
    }),
    users: list.items.length,
    added: added.map(({ userid, person }) => ({ userid, name: nameOf(person) })),
    changed,
    gone: gone.map(({ userid, firstName, lastName }) => ({
      userid,
      name: [firstName, lastName].filter(Boolean).join(' '),
    })),
    groups: [...new Set(groups)].filter((group) => group !== '').sort(),
    warnings: [
      ...[...warnings, ...addressWarnings(people), ...guessWarnings(guessed)],
      ...namesakeWarnings(added, gone),
    ],
  };
}
