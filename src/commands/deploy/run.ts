/** What `deploy` does with its flags: load, plan, apply, render. */
import { takesNode } from '../../lib/config/lab/strategy-names.ts';
import type { Lab, Strategy } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import type { Plan } from '../../lib/plan/document/plan.ts';
import { recloneCommand } from '../../lib/plan/document/reclone-command.ts';
import { viewTopology } from '../../lib/plan/views/topology.ts';
import { PAGE_HEAD } from '../../lib/render/page.ts';
import { renderPlanHtml } from '../../lib/render/plan-html.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { sameWords } from '../same-words.ts';
import { shellCommand } from '../../lib/shell.ts';
import { assertShownFile, writeShownFile } from '../../lib/workflow/shown-file.ts';
import { assertOfClass, whyOnlyToLookAt } from '../../lib/plan/saved/of-class.ts';
import {
  applySavedPlan,
  deploy,
  previewDeploy,
  type DeployContext,
  type DeployWant,
} from '../../lib/workflow/deploy.ts';
import { assertMaySetPasswords } from '../../lib/workflow/users.ts';
import { assertDistinctFiles } from '../distinct-files.ts';
import { tellFormerPasswords } from '../former-passwords.ts';
import type { ProgramIo } from '../io.ts';
import { pickUsers, whatWasMeant } from '../selection.ts';
import { planFiles, runPlanned, type PlanFlags } from '../planned-command.ts';
import { outerBridges } from '../session.ts';
import { loadWant } from '../class-files.ts';

export interface DeployFlags extends PlanFlags {
  readonly config: string;
  readonly users: readonly string[];
  readonly labName?: string;
  readonly strategy?: Strategy;
  readonly node?: string;
  readonly nodes?: string[];
  readonly exclude?: string[];
  readonly fit?: true;
  readonly only?: string[];
  readonly concurrency?: number;
  readonly out?: string;
  readonly plan?: string;
  readonly credentials?: string;
  readonly adopt?: true;
  readonly updateRunning?: true;
  readonly prune?: true;
  readonly replace?: readonly string[];
  readonly resetPasswords?: true;
  readonly forceProtected?: true;
  readonly maxChanges?: number;
  readonly timeout: number;
}

function placementOf(flags: DeployFlags) {
  if (flags.node !== undefined && flags.strategy !== undefined && !takesNode(flags.strategy)) {
    throw new UsageError('NODE_UNUSED', `--node has no meaning with strategy ${flags.strategy}`, {
      hint: 'use --strategy specific, or --nodes a,b to choose among several',
    });
  }
  return {
    ...(flags.strategy === undefined ? {} : { strategy: flags.strategy }),
    ...(flags.node === undefined ? {} : { node: flags.node }),
    ...(flags.nodes === undefined ? {} : { nodes: flags.nodes }),
    ...(flags.exclude === undefined ? {} : { exclude: flags.exclude }),
  };
}

function toWant(io: ProgramIo, flags: DeployFlags, warn: (text: string) => void): DeployWant {
  const { lab, users, files, warnings } = loadWant(flags, outerBridges(io, flags), {
    placement: placementOf(flags),
    // Of a part of the class the planner knows better what fits.
    isWhole: flags.fit !== true && flags.only === undefined,
  });
  for (const warning of warnings) warn(warning);
  return {
    lab,
    users: flags.only ? pickUsers(users, flags.only, '--only') : users,
    files,
    options: {
      adopt: flags.adopt === true,
      updateRunning: flags.updateRunning === true,
      resetPasswords: flags.resetPasswords === true,
      // A roster per group is common: what stays true of the others' stands is no news to whoever hears of news only.
      isWholeClass: flags.only === undefined && (flags.quiet !== true || flags.dryRun === true),
      fit: flags.fit === true,
      pruneCommand: pruneCommand(io.argv),
      recloneCommand: outdatedCommand(io.argv),
      ...(flags.replace ? { replace: machinesOf(lab, flags.replace) } : {}),
      ...(flags.prune
        ? { prune: { forceProtected: flags.forceProtected === true, lockWaitSeconds: flags.timeout } }
        : {}),
    },
    ...(flags.maxChanges === undefined ? {} : { maxChanges: flags.maxChanges }),
  };
}

function machinesOf(lab: Lab, names: readonly string[]): ReadonlySet<string> {
  const there = lab.machines.map(({ name }) => name);
  const unknown = names.filter((name) => !there.includes(name));
  if (unknown.length > 0) {
    throw new UsageError('UNKNOWN_MACHINE', `--replace names no machine of the lab: ${unknown.join(', ')}`, {
      hint: `${whatWasMeant(unknown, there)}it has ${there.join(', ')}`,
    });
  }
  return new Set(names);
}

/** Options of a run that only shows, or keeps or takes a plan: with their values. */
const OF_PLANS: ReadonlySet<string> = new Set(['--out', '--plan']);
const OF_DRY_RUNS: ReadonlySet<string> = new Set(['--dry-run', '--detailed-exitcode', '--drift-exitcode']);

/** The same command, which also removes what the lab no longer has. */
function pruneCommand(argv: readonly string[]): string {
  const isValue = (at: number): boolean => OF_PLANS.has(argv[at - 1] ?? '');
  const words = argv.filter((word, at) => {
    const [name = ''] = word.split('=', 1);
    return !(OF_DRY_RUNS.has(name) || OF_PLANS.has(name) || isValue(at));
  });
  return shellCommand('deploy-stand', ...words, '--prune');
}

/** For the same class: machines anew where no change of them follows the lab. */
function outdatedCommand(argv: readonly string[]): string {
  return recloneCommand({ flags: ['--outdated'], lab: sameWords(argv, 'class') });
}

/** For the same users: made again with another password. */
function recreateCommand(argv: readonly string[], { users, only }: DeployFlags, want: DeployWant): string {
  const who = only
    ? want.users.flatMap(({ userid }) => ['--user', userid])
    : users.flatMap((file) => ['-u', file]);
  return shellCommand('deploy-stand', 'users', 'passwd', '--recreate', ...who, ...sameWords(argv, 'lab'));
}

function assertPruneOptions({ prune, plan, forceProtected }: DeployFlags): void {
  if (prune && plan !== undefined) {
    throw new UsageError(
      'PLAN_AND_PRUNE',
      '--prune removes machines, and what is removed is always planned anew, never taken from a saved plan',
      { hint: 'leave out --plan or --prune; --prune --dry-run shows what would go' },
    );
  }
  if (forceProtected && !prune) {
    throw new UsageError('PRUNE_UNUSED', '--force-protected has no meaning without --prune', {
      hint: 'add --prune, or leave it out',
    });
  }
}

/** `--out plan.html` is a page to look at; it holds no plan that could be applied. */
async function pageOf({ out, dryRun }: DeployFlags): Promise<string | undefined> {
  if (out === undefined || !/\.html?$/i.test(out)) return undefined;
  if (!dryRun) {
    throw new UsageError(
      'PLAN_PAGE',
      `${out} would be a page, and a page is made of a plan that is only shown`,
      {
        hint: 'add --dry-run, or save the plan in a file that ends in .json',
      },
    );
  }
  await assertShownFile(out, PAGE_HEAD);
  return out;
}

async function previewed(want: DeployWant, page: string | undefined, context: RunContext) {
  const shown = await previewDeploy(want, context);
  if (page !== undefined && shown.plan.command === 'deploy') {
    const picture = { plan: shown.plan, loads: shown.loads, topology: viewTopology(want.lab) };
    await writeShownFile(page, renderPlanHtml(picture), PAGE_HEAD);
  }
  return shown;
}

export async function runDeploy(io: ProgramIo, flags: DeployFlags): Promise<void> {
  const { out } = flags;
  assertPruneOptions(flags);
  const page = await pageOf(flags);
  const file = page === undefined ? out : undefined;
  const { keep, saved } = await planFiles({
    ...(flags.plan === undefined ? {} : { plan: flags.plan }),
    ...(flags.dryRun ? { dryRun: true } : {}),
    ...(file === undefined ? {} : { out: file }),
  });
  await runPlanned(io, flags, async (run) => {
    const want = toWant(io, flags, (text) => run.output.warn(text));
    // Before anything is contacted; applying asks again.
    if (saved) assertOfClass(saved, want);
    const credentials = flags.credentials ?? `credentials-${want.lab.name}.csv`;
    if (out !== undefined) {
      assertDistinctFiles([
        { option: '--out', file: out, isWritten: true },
        { option: '--credentials', file: credentials, isWritten: true },
      ]);
    }
    if (flags.resetPasswords) {
      const { login, url } = await run.connect();
      assertMaySetPasswords(login, `run \`${recreateCommand(io.argv, flags, want)}\``);
      const users = want.users.map(({ userid }) => userid);
      const set = { file: credentials, users, url };
      await tellFormerPasswords(io, flags, { ...set, warn: (text) => run.output.warn(text) });
    }
    return {
      credentials,
      showLogin: true,
      keep,
      saved: (plan: Plan) => (file === undefined ? undefined : { file, onlyToLookAt: whyOnlyToLookAt(plan) }),
      preview: (context) => previewed(want, page, context),
      apply: (context: DeployContext) => {
        const kept = { ...context, keepPlan: keep };
        return saved ? applySavedPlan(saved, want, kept) : deploy(want, kept);
      },
    };
  });
}
