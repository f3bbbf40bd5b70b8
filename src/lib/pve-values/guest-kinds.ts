/** What kinds of guests there are, and what PVE calls them and what is done to them: whoever has to tell them apart asks here. */

export type GuestKind = 'qemu' | 'lxc';

/**
 * A guest where it is. All that is done to it goes through its one path. Steps that act on one hold it, but for two:
 * `vm.migrate` has `container` in place of the kind, `ha.remove` no node.
 */
export interface GuestAt {
  readonly node: string;
  readonly vmid: number;
  /** Absent: a VM. */
  readonly type?: GuestKind;
}

interface Kind {
  /** What people call one. */
  readonly word: 'VM' | 'CT';
  /** The command of its node that root does all of it with. */
  readonly tool: 'qm' | 'pct';
  /** Types of its tasks begin so. */
  readonly tasks: 'qm' | 'vz';
  /** HA's names of them begin so. */
  readonly ha: 'vm' | 'ct';
  /** The option that has its name. */
  readonly name: 'name' | 'hostname';
  /** Are machines of stands, and their templates, of this kind? What is of another one is never ours. */
  readonly isMade: boolean;
}

const KINDS: Readonly<Record<GuestKind, Kind>> = {
  qemu: { word: 'VM', tool: 'qm', tasks: 'qm', ha: 'vm', name: 'name', isMade: true },
  lxc: { word: 'CT', tool: 'pct', tasks: 'vz', ha: 'ct', name: 'hostname', isMade: false },
};

export const GUEST_KINDS = Object.keys(KINDS) as readonly GuestKind[]; // of a literal

export function isGuestKind(type: string | undefined): type is GuestKind {
  return GUEST_KINDS.some((kind) => kind === type);
}

/** Of a guest whose kind nobody tells. */
export const USUAL_KIND: GuestKind = 'qemu';

/** Of a guest as PVE lists it. */
export function listedKind(type: string | undefined): GuestKind {
  return isGuestKind(type) ? type : USUAL_KIND;
}

/** What plans and reports say of it: nothing of the usual one, as before there were others. */
export function toldKind({ type }: { readonly type?: GuestKind | undefined }): Pick<GuestAt, 'type'> {
  return type === undefined || type === USUAL_KIND ? {} : { type };
}

export function kindWord(kind: GuestKind): Kind['word'] {
  return KINDS[kind].word;
}

export function kindTool(kind: GuestKind): Kind['tool'] {
  return KINDS[kind].tool;
}

/** `vm:100`, `ct:100`. */
export function haName({ vmid, type = USUAL_KIND }: Pick<GuestAt, 'vmid' | 'type'>): string {
  return `${KINDS[type].ha}:${vmid}`;
}

/** The option in which PVE takes and keeps its name. */
export function nameOption(kind: GuestKind = USUAL_KIND): Kind['name'] {
  return KINDS[kind].name;
}

/** Of which machines of stands, and their templates, are. */
export const MADE_KINDS = GUEST_KINDS.filter((kind) => KINDS[kind].isMade);

/** May it be a machine of a stand, or a template of one? */
export function mayBeMachine({ type }: { readonly type: GuestKind }): boolean {
  return KINDS[type].isMade;
}

/** What plans say of the machines in their stands; they list others, too, and tell of none what it is. */
export function machineKind(guest: { readonly type: GuestKind }): Pick<GuestAt, 'type'> {
  return mayBeMachine(guest) ? toldKind(guest) : {};
}

/**
 * What PVE writes into the configuration of a guest as its `lock` (qemu-server; `destroyed`: what a removal leaves to the
 * end). What each means for a machine is told in plan/cluster/locks.ts.
 */
export const LOCK = {
  backup: 'backup',
  clone: 'clone',
  create: 'create',
  destroyed: 'destroyed',
  migrate: 'migrate',
  rollback: 'rollback',
  snapshot: 'snapshot',
  snapshotDelete: 'snapshot-delete',
  suspended: 'suspended',
  suspending: 'suspending',
} as const;

/** Is what stands there being cloned, or what a clone that failed has left? */
export function isCloneLock(lock: string | undefined): boolean {
  return lock === LOCK.clone;
}

/** What PVE does to a guest in a task of its own. */
export type GuestDeed =
  | 'clone'
  | 'create'
  | 'delsnapshot'
  | 'destroy'
  | 'migrate'
  | 'reboot'
  | 'restore'
  | 'resume'
  | 'rollback'
  | 'shutdown'
  | 'snapshot'
  | 'start'
  | 'stop'
  | 'suspend'
  | 'template';

/** `qmstart`, `vzstart`. */
export function taskType(deed: GuestDeed, kind: GuestKind = USUAL_KIND): string {
  // The one that PVE spells otherwise is `qmigrate`.
  return `${KINDS[kind].tasks}${deed}`.replace('qmm', 'qm');
}

/** Types of tasks that do this to guests of any kind. */
export function guestTasks(...deeds: readonly GuestDeed[]): string[] {
  return deeds.flatMap((deed) => GUEST_KINDS.map((kind) => taskType(deed, kind)));
}

/** The same to machines of ours. */
export function ourTasks(...deeds: readonly GuestDeed[]): string[] {
  return deeds.flatMap((deed) => MADE_KINDS.map((kind) => taskType(deed, kind)));
}

/** HA's own is what asks it for one. */
export const MIGRATIONS: readonly string[] = [...guestTasks('migrate'), 'hamigrate'];
