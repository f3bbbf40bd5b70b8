/** The one frame of commands that plan: show the plan, or apply it; print what came of it. */
import { UsageError } from '../lib/errors.ts';
import { exitCodeOf, exitCodeOfFindings, isNothingToDo } from '../lib/outcome/exit-code.ts';
import type { RunOutcome, Summary } from '../lib/outcome/types.ts';
import type { Plan } from '../lib/plan/document/plan.ts';
import { renderPlan } from '../lib/render/plan-text.ts';
import { toResultDocument } from '../lib/render/result-json.ts';
import { renderSummary, type SummaryOptions } from '../lib/render/summary-text.ts';
import type { RunContext } from '../lib/workflow/context.ts';
import type { DeployContext } from '../lib/workflow/deploy.ts';
import { assertPlanFile, loadPlan, savePlan } from '../lib/workflow/plan-file.ts';
import type { CheckedPlan } from '../lib/workflow/preflight.ts';
import { runChanging, type Changing } from './cluster-command.ts';
import type { ProgramIo } from './io.ts';
import { passwordsElsewhere } from './former-passwords.ts';
import { resumeWays, type StartsOver } from './resume.ts';
import { telling, type Teller } from './notify.ts';
import type { GlobalFlags } from './options.ts';
import { shellCommand, shellWord } from '../lib/shell.ts';

export interface PlanFlags extends GlobalFlags {
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
  readonly driftExitcode?: true;
  readonly encryptTo?: readonly string[];
  readonly notify?: string;
}

/** What each end of a run is told to, beside the terminal. */
interface Listeners {
  readonly run: Changing;
  readonly teller: Teller;
}

/** What a command does with its plan: it has read its input, and contacted nothing, or for a message only. */
interface Work<C extends RunContext> {
  readonly preview: (context: RunContext) => Promise<CheckedPlan & { readonly summary: Summary }>;
  readonly apply: (context: C) => Promise<RunOutcome>;
  /** Of commands whose plans do not say which of several it was: `sync` of `users`. */
  readonly verb?: string;
  /** Why there is nothing to do, where nothing else is to be said. */
  readonly idle?: string | undefined;
  /** Said of the plan before the result, in a dry run and after a run. */
  readonly remark?: (plan: Plan) => Promise<void> | void;
  /** Keeps a plan that is only shown. */
  readonly keep?: ((plan: Plan) => Promise<void>) | undefined;
  /** Where a plan that is only shown is kept. */
  readonly saved?: (plan: Plan) => SavedPlan | undefined;
  /** Repeated, it does also again what is done: whoever has finished is left out of the command that goes on. */
  readonly startsOver?: StartsOver;
}

interface SavedPlan {
  readonly file: string;
  /** Why it is one to look at; absent: it can be applied from there. */
  readonly onlyToLookAt?: string | undefined;
}

/** `credentials`: the file for the passwords; `showLogin`: the summary says where to log in with them. */
export type PlannedWork =
  | (Work<DeployContext> & { readonly credentials: string; readonly showLogin: boolean })
  | (Work<RunContext> & { readonly credentials?: undefined });

/** `--out` and `--plan`, looked at before anything is contacted. */
export async function planFiles({
  out,
  plan,
  dryRun,
}: {
  readonly out?: string;
  readonly plan?: string;
  readonly dryRun?: true;
}): Promise<{
  readonly keep: ((plan: Plan) => Promise<void>) | undefined;
  readonly saved: Plan | undefined;
}> {
  if (plan !== undefined && dryRun) {
    throw new UsageError('PLAN_AND_DRY_RUN', '--plan applies a saved plan, --dry-run only shows one', {
      hint: `leave one of them out, or look at the saved one: ${shellCommand('deploy-stand', 'show', plan)}`,
    });
  }
  if (out !== undefined) await assertPlanFile(out);
  return {
    keep: out === undefined ? undefined : (made) => savePlan(made, out),
    saved: plan === undefined ? undefined : loadPlan(plan),
  };
}

/** Would a run change anything, or leave undone what was asked for? */
export function isPending(plan: Plan): boolean {
  const { steps, stands } = plan;
  const nodes = 'nodes' in plan ? plan.nodes : [];
  return (
    steps.length > 0 ||
    stands.some(({ refused, left }) => refused ?? left) ||
    // It waits until the machine is stopped.
    stands.some(({ vms }) => vms.some(({ state }) => state === 'pending-change')) ||
    nodes.some(({ refused }) => refused !== undefined)
  );
}

function hasDrift({ stands }: Plan): boolean {
  return stands.some(({ vms }) => vms.some(({ drift }) => drift !== undefined));
}

/** For people, while a program reads stdout; as text they are in the result already. */
function tellWarnings({ output }: Changing, { warnings }: Plan): void {
  if (!output.isText) for (const warning of warnings) output.warn(warning);
}

function savedLines(saved: SavedPlan | undefined): string[] {
  if (!saved || saved.onlyToLookAt !== undefined) return [];
  const { file } = saved;
  return [
    `saved in ${file}: the same command with ${shellCommand('--plan', file)} in place of --dry-run and --out applies it`,
  ];
}

async function show(
  io: ProgramIo,
  flags: PlanFlags,
  { run, teller }: Listeners,
  work: PlannedWork,
): Promise<void> {
  const { plan, summary, lacking } = await work.preview(await run.runContext());
  await run.warnLacking(lacking);
  await work.keep?.(plan);
  tellWarnings(run, plan);
  await work.remark?.(plan);
  const saved = work.saved?.(plan);
  if (saved?.onlyToLookAt !== undefined)
    run.output.warn(`${saved.file} is a plan to look at, not to apply with --plan: ${saved.onlyToLookAt}`);
  const { requests } = await run.connect();
  run.output.result(toResultDocument(plan, summary, requests()), () =>
    [renderPlan(plan, { ...run.output, idle: work.idle }), ...savedLines(saved)].join('\n\n'),
  );
  teller.planned(plan, work.verb);
  const isTold = (flags.detailedExitcode && isPending(plan)) || (flags.driftExitcode && hasDrift(plan));
  io.setExitCode(exitCodeOfFindings({ isPending: isTold }));
}

interface Applied {
  readonly outcome: RunOutcome;
  /** Has the credentials file a password of anybody whom this was about? */
  readonly hasPasswords: boolean;
}

async function applied(run: Changing, work: PlannedWork): Promise<Applied> {
  if (work.credentials === undefined)
    return { outcome: await work.apply(await run.runContext()), hasPasswords: false };
  const context = await run.withCredentials(work.credentials);
  const outcome = await work.apply(context);
  const hasPasswords = outcome.summary.stands.some(
    ({ user }) => (context.credentials.row(user)?.password ?? '') !== '',
  );
  return { outcome, hasPasswords };
}

interface Login {
  readonly run: Changing;
  readonly file: string;
  readonly hasPasswords: boolean;
  readonly summary: Summary;
}

async function loginOf(
  io: ProgramIo,
  flags: PlanFlags,
  { run, file, hasPasswords, summary }: Login,
): Promise<Pick<SummaryOptions, 'url' | 'credentialsFile' | 'passwordsElsewhere'>> {
  const { url } = await run.connect();
  const users = summary.stands.map(({ user }) => user);
  return {
    url,
    credentialsFile: flags.encryptTo ? `${file} (encrypted)` : file,
    passwordsElsewhere: hasPasswords ? [] : await passwordsElsewhere(io, flags, { file, users, url }),
  };
}

async function apply(
  io: ProgramIo,
  flags: PlanFlags,
  { run, teller }: Listeners,
  work: PlannedWork,
): Promise<void> {
  const { outcome, hasPasswords } = await applied(run, work);
  const { plan, summary } = outcome;
  const login =
    work.credentials !== undefined && work.showLogin
      ? {
          hasPasswords,
          ...(await loginOf(io, flags, { run, file: work.credentials, hasPasswords, summary })),
        }
      : {};
  run.finish();
  tellWarnings(run, plan);
  await work.remark?.(plan);
  const { requests } = await run.connect();
  const exitCode = exitCodeOf(outcome, run.stoppedBy());
  const isNothing = isNothingToDo(outcome, exitCode);
  run.output.ended({ isNothing, warnings: plan.warnings }, toResultDocument(plan, summary, requests()), () =>
    renderSummary(plan, summary, {
      ...run.output,
      ...login,
      ...(work.idle === undefined ? {} : { idle: work.idle }),
      resumeWays: resumeWays(io.argv, outcome, work.startsOver),
    }),
  );
  teller.ended(plan, summary, work.verb);
  io.setExitCode(exitCode);
}

/** `begin` reads the input: what is wrong with it is said before anything is contacted. */
export async function runPlanned(
  io: ProgramIo,
  flags: PlanFlags,
  begin: (run: Changing) => Promise<PlannedWork> | PlannedWork,
): Promise<void> {
  const asked = flags.detailedExitcode ? '--detailed-exitcode' : flags.driftExitcode && '--drift-exitcode';
  if (asked && !flags.dryRun) {
    throw new UsageError('DETAILED_EXITCODE', `${asked} has no meaning without --dry-run`, {
      hint: 'add --dry-run, or leave it out',
    });
  }
  await runChanging(io, flags, async (run) => {
    const about = {
      command: io.argv.map(shellWord).join(' '),
      warn: (text: string) => run.output.warn(text),
    };
    await telling(io, flags, about, async (teller) => {
      const work = await begin(run);
      await (flags.dryRun ? show : apply)(io, flags, { run, teller }, work);
    });
  });
}
