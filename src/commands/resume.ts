/** The command that finishes a run of one that does everything again when it is repeated: only what is not finished. */
import { sortedUnique } from '../lib/order.ts';
import type { RunOutcome, StandSummary } from '../lib/outcome/types.ts';

/** They narrow the selection by user, and give way to who is left. */
const BY_USER = new Set(['--user', '--only']);
const BY_MACHINE = new Set(['--machine']);

function without(argv: readonly string[], options: ReadonlySet<string>): string[] {
  return argv.filter((word, at) => {
    const [name = ''] = word.split('=', 1);
    return !options.has(name) && !options.has(argv[at - 1] ?? '');
  });
}

function valuesOf(argv: readonly string[], option: string): string[] {
  return argv.flatMap((word, at) => {
    if (word.startsWith(`${option}=`)) return [word.slice(option.length + 1)];
    return argv[at - 1] === option ? [word] : [];
  });
}

type Outcome = Pick<RunOutcome, 'rounds'> & {
  readonly summary: { readonly stands: readonly StandSummary[] };
};

/** Of each machine and stand, as `user` or `user vmid`: was something of it planned, and not done? */
function openParts({ rounds }: Outcome): Map<string, boolean> {
  const parts = new Map<string, boolean>();
  for (const { plan, result } of rounds) {
    const done = new Set(result.results.flatMap(({ id, status }) => (status === 'done' ? [id] : [])));
    for (const step of plan.steps) {
      const key = 'vmid' in step ? `${step.user ?? ''} ${step.vmid}` : (step.user ?? '');
      parts.set(key, parts.get(key) === true || !done.has(step.id));
    }
  }
  return parts;
}

/** Names of machines that are not finished in one of these stands; undefined: all, or it cannot be told. */
function machinesLeft(left: readonly StandSummary[], outcome: Outcome): Set<string> | undefined {
  const parts = openParts(outcome);
  const names = new Set<string>();
  let isAll = true;
  for (const { user, vms } of left) {
    const open = vms.filter(({ vmid }) => parts.get(`${user} ${vmid}`) !== false);
    // What concerns the stand as a whole failed, or a machine that nobody lists.
    if (parts.get(user) === true || open.length === 0) return undefined;
    isAll &&= open.length === vms.length;
    for (const { name } of open) names.add(name);
  }
  return isAll ? undefined : names;
}

/** What is done stays so: whoever was reset may be at work again. No selector that was given is widened. */
export function resumeArgv(argv: readonly string[], outcome: Outcome): readonly string[] {
  const { stands } = outcome.summary;
  const left = stands.filter(({ status }) => status === 'incomplete' || status === 'refused');
  if (left.length === 0) return argv;
  const names = machinesLeft(left, outcome);
  const users =
    left.length === stands.length
      ? argv
      : [...without(argv, BY_USER), ...left.flatMap(({ user }) => ['--user', user])];
  if (!names) return users;
  const given = valuesOf(argv, '--machine');
  const machines = given.length === 0 ? sortedUnique(names) : given.filter((name) => names.has(name));
  if (machines.length === 0) return users;
  return [...without(users, BY_MACHINE), ...machines.flatMap((name) => ['--machine', name])];
}
