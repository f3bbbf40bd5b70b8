/** Which commands a class is asked, and what its answers are worth: a read model of one inventory. Asks nobody. */
import type { AgentCommand, MachineTask } from '../../agent/types.ts';
import type { Check } from '../../config/checks/types.ts';
import type { User } from '../../config/types.ts';
import { claimedIds } from '../stands/ownership.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import type { ClusterView } from '../cluster/view.ts';
import { whyNoneIsMade } from '../stands/expiry.ts';
import { marksOf, selectedClaims, type StandSelection } from '../stands/selection.ts';
import type { GuestInfo, PoolInfo } from '../../inventory/types.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { judgeConfiguration, whyNotAsked, whyNotThere } from './check-machine.ts';
import type { AskedCheck, CheckResult, ChecksReport, Finding, StudentChecks } from './checks-types.ts';

/** `--machine` narrows checks as it narrows machines. */
export function checksOf(checks: readonly Check[], { machines }: StandSelection): readonly Check[] {
  return machines ? checks.filter(({ machine }) => machines.includes(machine)) : checks;
}

function namedBy(checks: readonly Check[], kind: Check['kind']): ReadonlySet<string> {
  return new Set(checks.filter((check) => check.kind === kind).map(({ machine }) => machine));
}

/** VMIDs of which the configuration has to be read. */
export function configured(
  checks: readonly Check[],
  selection: StandSelection,
  pools: readonly PoolInfo[],
): number[] {
  const wired = namedBy(checks, 'nic');
  if (wired.size === 0) return [];
  return selectedClaims(selection, marksOf(pools)).flatMap(({ claim }) =>
    claimedIds(claim)
      .filter(({ machine }) => machine !== undefined && wired.has(machine))
      .map(({ vmid }) => vmid),
  );
}

/** Machines of which the snapshots have to be read. */
export function snapshotted(checks: readonly Check[], stands: readonly StandView[]): GuestInfo[] {
  const named = namedBy(checks, 'snapshot');
  return stands.flatMap(({ machines }) =>
    machines.flatMap((one) =>
      one.isSelected && one.guest && named.has(one.machine ?? '') && whyNotThere(one) === undefined
        ? [one.guest]
        : [],
    ),
  );
}

export function commandsFor(checks: readonly Check[], stands: readonly StandView[]): MachineTask[] {
  const byMachine = new Map<string, AgentCommand[]>();
  for (const check of checks) {
    if (check.kind !== 'command') continue;
    const { name, machine, argv, timeoutSeconds } = check;
    byMachine.set(machine, [...(byMachine.get(machine) ?? []), { name, argv, timeoutSeconds }]);
  }
  return stands.flatMap(({ machines }) =>
    machines.flatMap((one): MachineTask[] => {
      const commands = byMachine.get(one.machine ?? '');
      if (!commands || !one.guest || !one.isSelected || whyNotAsked(one) !== undefined) return [];
      return [{ vmid: one.vmid, node: one.guest.node, commands }];
    }),
  );
}

export interface ChecksInput {
  readonly selection: StandSelection;
  readonly checks: readonly Check[];
  readonly stands: readonly StandView[];
  readonly index: ClusterView;
  readonly now: string;
  /** VMID → check → what its command came to. */
  readonly findings: ReadonlyMap<number, ReadonlyMap<string, Finding>>;
  /** VMID → names. */
  readonly snapshots: ReadonlyMap<number, readonly string[]>;
  readonly notes: readonly string[];
  readonly files: ClassEnds;
}

/** Of the files of the class, where they were given. */
export interface ClassEnds {
  /** Of the lab: its last day. */
  readonly expires?: string;
  readonly users?: readonly Pick<User, 'userid' | 'expire'>[];
}

function find(
  check: Check,
  stand: StandView,
  machine: StandMachine | undefined,
  { index, snapshots, findings }: ChecksInput,
): Finding {
  const why = check.kind === 'command' ? whyNotAsked(machine) : whyNotThere(machine);
  if (why !== undefined || !machine) return { verdict: 'not-run', why: why ?? 'missing' };
  if (check.kind !== 'command') return judgeConfiguration(check, { stand, machine, index, snapshots });
  return findings.get(machine.vmid)?.get(check.name) ?? { verdict: 'not-run', why: 'interrupted' };
}

function resultOf(check: Check, finding: Finding, vmid: number | null): CheckResult {
  const points = finding.verdict === 'passed' ? check.points : 0;
  return { check: check.name, machine: check.machine, vmid, points, ...finding };
}

/** Points are written as tenths and the like: sums are rounded to what people write. */
const sum = (points: readonly number[]): number =>
  Math.round(points.reduce((total, one) => total + one, 0) * 1000) / 1000;

function studentOf(user: string, lab: string | null, results: readonly CheckResult[]): StudentChecks {
  const count = (verdict: Finding['verdict']): number =>
    results.filter((result) => result.verdict === verdict).length;
  return {
    ...{ user, lab, results, points: sum(results.map(({ points }) => points)) },
    ...{ passed: count('passed'), failed: count('failed'), notRun: count('not-run') },
  };
}

function ofStand(stand: StandView, input: ChecksInput): StudentChecks {
  const machines = new Map(stand.machines.map((one) => [one.machine, one]));
  const results = input.checks.flatMap((check): CheckResult[] => {
    const machine = machines.get(check.machine);
    // Left out by --node.
    if (machine?.isSelected === false) return [];
    return [resultOf(check, find(check, stand, machine, input), machine?.vmid ?? null)];
  });
  return studentOf(stand.user, stand.claim.lab, results);
}

/** Users that were named, and have nothing that could be checked. */
function withoutStand({ selection, stands, checks, files, index, now }: ChecksInput): StudentChecks[] {
  if (selection.nodes) return [];
  const written = new Map(files.users?.map((user) => [user.userid, user]));
  const there = new Set(stands.map(({ user }) => user));
  return sortedUnique((selection.users ?? []).map(({ userid }) => userid))
    .filter((user) => !there.has(user))
    .map((user) => {
      const of = written.get(user) ?? { userid: user };
      const over = whyNoneIsMade(of, files.expires, { accounts: index.users, now });
      const none: Finding = { verdict: 'not-run', why: over ?? 'no-stand' };
      return studentOf(
        user,
        null,
        checks.map((check) => resultOf(check, none, null)),
      );
    });
}

function expectedOf(check: Check): string {
  switch (check.kind) {
    case 'power':
      return check.power;
    case 'nic':
      return `${check.connected ? 'a card' : 'no card'} in ${check.network}`;
    case 'snapshot':
      return `snapshot ${check.snapshot}`;
    case 'command': {
      const { exit, stdout, stderr } = check.expect;
      return [
        `exit code ${exit}`,
        ...(stdout === undefined ? [] : [`stdout with /${stdout}/`]),
        ...(stderr === undefined ? [] : [`stderr with /${stderr}/`]),
      ].join(', ');
    }
  }
}

function askedOf(check: Check): AskedCheck {
  const { name, machine, points, hint = null } = check;
  return { name, machine, points, expected: expectedOf(check), hint };
}

export function viewChecks(input: ChecksInput): ChecksReport {
  const { selection, checks, stands, now, notes } = input;
  const students = [...stands.map((stand) => ofStand(stand, input)), ...withoutStand(input)].sort(
    (a, b) => compareNatural(a.user, b.user) || compareNatural(a.lab ?? '', b.lab ?? ''),
  );
  const total = (key: 'passed' | 'failed' | 'notRun'): number =>
    students.reduce((all, one) => all + one[key], 0);
  return {
    now,
    lab: selection.lab ?? null,
    checks: checks.map(askedOf),
    maxPoints: sum(checks.map(({ points }) => points)),
    students,
    totals: { passed: total('passed'), failed: total('failed'), notRun: total('notRun') },
    notes,
  };
}
