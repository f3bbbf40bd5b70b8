/** What runs of balance remember of their migrations where a platform tells too little: in this process, or in a file. */
import type { MigrationRecord } from '../inventory/balance-types.ts';
import { ConfigError } from '../errors.ts';
import { beginsLike, readRegularFile } from '../files/open.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, replaceFile } from '../files/replace.ts';

const FORMAT = 'deploy-stand-balance-history';
const MAX_BYTES = 50 * 1024 * 1024;
/** The longest blacklist that balance.yml allows. */
const LONGEST_MS = 365 * 86_400_000;

interface Kept {
  readonly format: typeof FORMAT;
  readonly version: 1;
  readonly installations: Readonly<Record<string, readonly MigrationRecord[]>>;
}

const isOurs = beginsLike(`{"format":"${FORMAT}"`);
const STATUSES = new Set(['running', 'ok', 'failed', 'timeout']);

function refuse(file: string, message: string): never {
  throw new ConfigError('BALANCE_STATE', `${file}: ${message}`, {
    hint: 'name another file with --state-file; a new one is begun where there is none',
    issues: [{ file, path: '', message }],
  });
}

function isRecord(value: unknown): value is MigrationRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { vmid, from, to, start, end, status, error } = value as Readonly<Record<string, unknown>>; // key by key
  const isText = (one: unknown): boolean => one === undefined || typeof one === 'string';
  const isMoment = (one: unknown): boolean => typeof one === 'string' && Number.isFinite(Date.parse(one));
  return (
    Number.isSafeInteger(vmid) &&
    typeof from === 'string' &&
    isText(to) &&
    isMoment(start) &&
    (end === undefined || isMoment(end)) &&
    typeof status === 'string' &&
    STATUSES.has(status) &&
    isText(error)
  );
}

function parse(text: string, file: string): Kept['installations'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(file, 'this is no history of balance: it is not JSON');
  }
  const { format, version, installations } = (value ?? {}) as Partial<Kept>; // checked below
  if (format !== FORMAT || version !== 1) return refuse(file, 'this is no history of balance');
  const lists = Object.entries(installations ?? {});
  if (!lists.every(([, list]) => Array.isArray(list) && list.every(isRecord)))
    return refuse(file, 'the history is damaged');
  return Object.fromEntries(lists);
}

/** What cannot be written is told with its name. */
async function orRefuse(file: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    refuse(file, error.message);
  }
}

/** Empty where there is no file yet. Throws a ConfigError for what is no such file. */
function readKept(file: string): Kept['installations'] {
  try {
    return parse(readRegularFile(file, { maxBytes: MAX_BYTES }).bytes.toString('utf8'), file);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    return error.kind === 'missing' ? {} : refuse(file, error.message);
  }
}

/** Of one installation. */
export class MigrationMemory {
  readonly #file: string | undefined;
  readonly #installation: string;
  #records: readonly MigrationRecord[];
  #writing: Promise<void> = Promise.resolve();

  /** `file`: kept there, too, so that the next run knows. Throws a ConfigError where it could not be: no move is begun then. */
  static async open(installation: string, file?: string): Promise<MigrationMemory> {
    const memory = new MigrationMemory(installation, file);
    if (file !== undefined) await orRefuse(file, assertReplaceable(file, { isOurs }));
    return memory;
  }

  private constructor(installation: string, file?: string) {
    this.#file = file;
    this.#installation = installation;
    this.#records = file === undefined ? [] : (readKept(file)[installation] ?? []);
  }

  get isKept(): boolean {
    return this.#file !== undefined;
  }

  get records(): readonly MigrationRecord[] {
    return this.#records;
  }

  /** On disk when this resolves. `now`: milliseconds since the epoch. */
  begun(move: Required<Pick<MigrationRecord, 'vmid' | 'from' | 'to'>>, now: number): Promise<void> {
    const others = this.#records.filter(({ start }) => now - Date.parse(start) < LONGEST_MS);
    this.#records = [...others, { ...move, start: new Date(now).toISOString(), status: 'running' }];
    return this.#save();
  }

  ended(vmid: number, now: number, how: Pick<MigrationRecord, 'status' | 'error'>): Promise<void> {
    const at = this.#records.findLastIndex((record) => record.vmid === vmid && record.status === 'running');
    const record = this.#records[at];
    if (!record) return Promise.resolve();
    this.#records = this.#records.with(at, { ...record, ...how, end: new Date(now).toISOString() });
    return this.#save();
  }

  /** One after another, and beside what other installations have in the file. */
  #save(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return Promise.resolve();
    const write = async (): Promise<void> => {
      const installations = { ...readKept(file), [this.#installation]: this.#records };
      const kept: Kept = { format: FORMAT, version: 1, installations };
      await orRefuse(file, replaceFile(file, `${JSON.stringify(kept)}\n`, { mode: 0o600, isOurs }));
    };
    this.#writing = this.#writing.catch(() => undefined).then(write);
    return this.#writing;
  }
}
