/** Reads VMmanager's rows: several spellings of one fact, and values that nobody should believe. Judges nothing. */
import { MIB } from '../bytes.ts';
import { isRecord, oneLine, type Document } from './answer.ts';
import type {
  MigrationRow,
  MigrationState,
  Rows,
  TargetWord,
  TaskWord,
  UnreadRow,
  VmmanagerCluster,
  VmmanagerGuest,
  VmmanagerNode,
} from './types.ts';

const MOST = 2 ** 40;

export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && number < MOST
    ? number
    : undefined;
}

function idOf(value: unknown): number | undefined {
  const id = wholeNumber(value);
  return id === 0 ? undefined : id;
}

/** Of a number of MiB. */
function bytesOf(mib: number | undefined): number | undefined {
  return mib === undefined ? undefined : mib * MIB;
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? oneLine(value) : '';
  return text === '' ? undefined : text;
}

/** What is to be an address or a name of an account, and looks like one. */
function matching(value: unknown, form: RegExp): string | undefined {
  const text = textOf(value);
  return text !== undefined && form.test(text) ? text : undefined;
}

function portOf(value: unknown): number | undefined {
  const port = idOf(value);
  return port !== undefined && port < 65_536 ? port : undefined;
}

function isYes(value: unknown): boolean {
  return value === true || value === 1 || value === 'true' || value === 'on';
}

/** `{"id": 3, …}`, or the bare number. */
function referenceOf(value: unknown): number | undefined {
  return idOf(isRecord(value) ? value['id'] : value);
}

function below(row: Document, key: string): Document {
  const value = row[key];
  return isRecord(value) ? value : {};
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }; // one key, or none
}

function read<T>(list: readonly unknown[], reader: (row: Document) => T | undefined): Rows<T> {
  const rows: T[] = [];
  const unread: UnreadRow[] = [];
  for (const row of list) {
    const found = isRecord(row) ? reader(row) : undefined;
    if (found) rows.push(found);
    else unread.push(isRecord(row) ? legible(row) : {});
  }
  return { rows, unread };
}

function legible(row: Document): UnreadRow {
  return {
    ...given('id', idOf(row['id'])),
    ...given('name', textOf(row['name'])),
    ...given('node', referenceOf(row['node'])),
  };
}

export function readClusters(list: readonly unknown[]): Rows<VmmanagerCluster> {
  return read(list, (row) => {
    const id = idOf(row['id']);
    return id === undefined ? undefined : { id, name: textOf(row['name']) ?? `cluster ${id}` };
  });
}

export function readNodes(list: readonly unknown[]): Rows<VmmanagerNode> {
  return read(list, (row) => {
    const [id, name, cluster] = [idOf(row['id']), textOf(row['name']), referenceOf(row['cluster'])];
    if (id === undefined || name === undefined || cluster === undefined) return undefined;
    const memory = below(row, 'ram_mib');
    const limit = wholeNumber(row['host_limit']);
    return {
      ...{ id, name, cluster },
      online: textOf(row['state']) === 'active',
      maintenance: isYes(row['maintenance_mode']) || isYes(row['maintenance']),
      creationBlocked: isYes(row['host_creation_blocked']),
      ...given('cpus', idOf(below(row, 'cpu')['number'] ?? row['cpu_number'])),
      ...given('memoryTotal', bytesOf(idOf(memory['total']))),
      ...given('memoryAllocated', bytesOf(wholeNumber(memory['allocated'] ?? memory['used']))),
      ...given('maxGuests', limit === 0 ? undefined : limit),
      ...given('qemuVersion', textOf(row['qemu_version'])),
      ...given('address', matching(row['ip'], /^[\w.:-]{1,253}$/)),
      ...given('sshPort', portOf(row['port'])),
      ...given('sshUser', matching(row['ssh_user'], /^[\w.][\w.-]{0,63}$/)),
    };
  });
}

function tagsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((tag: unknown) => textOf(isRecord(tag) ? tag['name'] : tag)?.toLowerCase() ?? []);
}

/** Whatever it is called, it is either off or not. */
function balancerOf(value: unknown): 'on' | 'off' | undefined {
  const mode = textOf(value)?.toLowerCase();
  if (mode !== undefined) return mode === 'off' ? 'off' : 'on';
  return value === false ? 'off' : value === true ? 'on' : undefined;
}

export function readGuests(list: readonly unknown[]): Rows<VmmanagerGuest> {
  return read(list, (row) => {
    const [id, node, cluster] = [idOf(row['id']), referenceOf(row['node']), referenceOf(row['cluster'])];
    const [cpus, memory] = [wholeNumber(row['cpu_number']), bytesOf(wholeNumber(row['ram_mib']))];
    if (id === undefined || node === undefined || cluster === undefined) return undefined;
    if (cpus === undefined || memory === undefined) return undefined;
    return {
      ...{ id, node, cluster, cpus, memory },
      name: textOf(row['name']) ?? '',
      ...given('state', textOf(row['state'])?.toLowerCase()),
      hasIso: isYes(row['iso_mounted']),
      snapshots: wholeNumber(row['snapshot_count']) ?? 0,
      ...given('balancer', balancerOf(row['balancer_mode'])),
      isDisabled: isYes(row['disabled']),
      isRescue: isYes(row['rescue_mode']),
      tags: tagsOf(row['tags']),
    };
  });
}

const ENDED_WELL = new Set(['complete', 'completed', 'success', 'ok', 'done']);
const ENDED_BADLY = new Set(['fail', 'failed', 'error', 'abort', 'aborted', 'cancelled', 'canceled']);

/** What is neither an end nor known is still under way: a guest that may be moving is left alone. */
function migrationState(value: unknown): MigrationState {
  const word = textOf(value)?.toLowerCase() ?? '';
  if (ENDED_WELL.has(word)) return 'ok';
  return ENDED_BADLY.has(word) ? 'failed' : 'running';
}

export function readMigrations(list: readonly unknown[]): Rows<MigrationRow> {
  const migrations = list.filter((row) => !isRecord(row) || row['name'] === 'host_migrate');
  return read(migrations, (row) => {
    const id = idOf(row['id']);
    const created = textOf(row['date_create']);
    if (id === undefined || created === undefined) return undefined;
    return { id, created, state: migrationState(row['state']), ...given('task', idOf(row['task'])) };
  });
}

export function readTargets(document: unknown): readonly TargetWord[] | undefined {
  const nodes = isRecord(document) ? document['nodes'] : undefined;
  if (!Array.isArray(nodes)) return undefined;
  return nodes.flatMap((row: unknown) => {
    const id = isRecord(row) ? idOf(row['id']) : undefined;
    const suitable = isRecord(row) ? row['suitable'] : undefined;
    return id === undefined || typeof suitable !== 'boolean' ? [] : [{ node: id, suitable }];
  });
}

export function readTask(value: unknown): TaskWord | undefined {
  const row = isRecord(value) && isRecord(value['task']) ? value['task'] : value;
  if (!isRecord(row) || textOf(row['status']) === undefined) return undefined;
  const state = migrationState(row['status']);
  const said = [row['error'], row['output'], row['defer_reason']].map((one) =>
    isRecord(one) ? one['msg'] : one,
  );
  const words = said.map((one) =>
    typeof one === 'string' ? oneLine(one.trim().split('\n').at(-1) ?? '') : '',
  );
  return { state, ...given('words', state === 'failed' ? words.find((text) => text !== '') : undefined) };
}
