/** What a report says, once per language. A language is one file that has all of these; the compiler finds what is missing. */
import type { MachineState, ProblemKind } from '../../plan/views/status-types.ts';
import type { TopologyNetwork } from '../../plan/views/topology-types.ts';
import type { FindingTexts } from './finding-texts.ts';
import type { NoteTexts } from './note-texts.ts';

export interface SpanTexts {
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
}

/** Of machines and stands; in tables of a terminal, too. */
export interface StateTexts {
  readonly state: Readonly<Record<MachineState, string>>;
  readonly none: string;
  readonly allRunning: (count: number) => string;
  readonly someRunning: (running: number, all: number) => string;
  readonly counted: (count: number, state: string) => string;
  readonly span: SpanTexts;
  readonly noAgent: string;
  readonly silentAgent: string;
  readonly forbidden: string;
}

/** Problems and their ways out. Commands are written by nobody here: they come as arguments. */
export interface ProblemTexts {
  readonly title: Readonly<Record<ProblemKind, string>>;
  readonly lab: (lab: string) => string;
  readonly pool: (pool: string) => string;
  readonly vm: string;
  /** `pc (10001 on pve1)`. */
  readonly at: (vmid: string, node: string) => string;
  readonly onNode: (what: string, node: string) => string;
  readonly run: (node: string, commands: string) => string;
  readonly deployAgain: (labs: string, only: string) => string;
  readonly whenIdle: (way: string) => string;
  /** A thaw gives the right before it ends the freeze. */
  readonly unlessThawing: (way: string) => string;
  readonly poolDelegated: string;
  /** `way`: what takes over what is in it. */
  readonly markLost: (way: string) => string;
  readonly enabledBySync: (command: string) => string;
  readonly otherVmid: (way: string) => string;
  readonly foreignBridge: string;
  /** `way`: what makes another. */
  readonly backIntoPool: (vmid: string, user: string, way: string) => string;
  /** `way`: what takes it over. */
  readonly inDoubt: (way: string) => string;
  readonly cardElsewhere: string;
  /** `way`: what makes another. */
  readonly converted: (way: string) => string;
  readonly torn: string;
  readonly networksOn: (node: string) => string;
  readonly nodeOffline: string;
  readonly afterMaintenance: (command: string) => string;
  readonly mendStorage: string;
  readonly storageFull: string;
  readonly taskLog: string;
  readonly andMore: (count: number) => string;
}

export interface PictureTexts {
  readonly kind: Readonly<Record<TopologyNetwork['kind'], string>>;
  readonly cores: (count: number) => string;
  readonly unplugged: string;
}

/** Of a page that is kept up to date, and of what stands before it. */
interface LiveTexts {
  readonly every: (seconds: number) => string;
  readonly away: (since: string, why: string) => string;
  /** The server of the page does not answer. */
  readonly noLink: string;
  readonly noProblems: string;
  readonly token: string;
  readonly enter: string;
  readonly wrongToken: string;
}

/** What machines are made from, and whether it has changed since. */
interface TemplateTexts {
  readonly title: string;
  readonly made: (day: string) => string;
  readonly copies: (list: string) => string;
  readonly formerCopy: string;
  readonly forMachines: (names: string) => string;
  readonly none: string;
  readonly current: (current: number, all: number) => string;
  readonly outdated: (count: number) => string;
  readonly untold: (count: number) => string;
  /** `command`: makes the outdated ones anew. */
  readonly way: (command: string) => string;
}

/** What `check` found. */
interface CheckTexts {
  readonly title: string;
  readonly points: string;
  readonly passed: string;
  readonly failed: string;
  readonly notRun: string;
  readonly notAll: string;
  readonly tileFailed: string;
  readonly tileNotRun: string;
  readonly totals: (passed: number, failed: number, notRun: number) => string;
}

export interface ReportTexts {
  readonly asOf: (moment: string) => string;
  readonly noStands: string;
  readonly oneLab: (lab: string) => string;
  readonly severalLabs: (count: number) => string;
  readonly summary: string;
  readonly tileStands: (labs: number) => string;
  readonly tileStudents: (count: number) => string;
  readonly tileRunning: string;
  readonly tileWithProblems: string;
  readonly tileProblems: string;
  readonly tileFirstEnd: string;
  readonly problems: string;
  readonly wayOut: (way: string) => string;
  readonly oneStand: string;
  readonly nodes: string;
  readonly offline: string;
  readonly maintenance: string;
  readonly cpu: string;
  readonly memory: string;
  readonly of: (part: string, whole: string) => string;
  readonly noStandsHere: string;
  readonly onNode: (stands: number, running: number, machines: number) => string;
  readonly stands: string;
  readonly student: string;
  readonly lab: string;
  readonly node: string;
  readonly machines: string;
  readonly up: string;
  /** Heads of the machines of one stand. */
  readonly ofMachine: Readonly<Record<'name' | 'state' | 'addresses' | 'snapshots', string>>;
  readonly expires: string;
  readonly access: string;
  readonly accessOf: Readonly<Record<'open' | 'frozen' | 'none', string>>;
  readonly filter: string;
  readonly withProblems: string;
  readonly withoutStand: (users: string) => string;
  readonly notSeen: string;
  readonly states: StateTexts;
  readonly problemTexts: ProblemTexts;
  readonly picture: PictureTexts;
  readonly live: LiveTexts;
  readonly checks: CheckTexts;
  readonly findings: FindingTexts;
  readonly notes: NoteTexts;
  readonly templates: TemplateTexts;
}
