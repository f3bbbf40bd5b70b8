/** What `deploy` does with its flags: load, plan, apply, render. */
import { nameIn } from '../../lib/pve-values/userid.ts';
import type { Strategy, User } from '../../lib/config/types.ts';
import { UsageError } from '../../lib/errors.ts';
import { toResultDocument } from '../../lib/render/result-json.ts';
import { renderPlan } from '../../lib/render/plan-text.ts';
import { renderSummary } from '../../lib/render/summary-text.ts';
import { assertOfClass } from '../../lib/plan/saved/of-class.ts';
import {
  applySavedPlan,
  deploy,
  previewDeploy,
  type DeployContext,
  type DeployWant,
} from '../../lib/workflow/deploy.ts';
import { exitCodeOf } from '../../lib/outcome/exit-code.ts';
import { assertPlanFile, loadPlan, savePlan } from '../../lib/workflow/plan-file.ts';
import { runChanging } from '../changing.ts';
import { commandLine } from '../output.ts';
import type { GlobalFlags } from '../options.ts';
import type { ProgramIo } from '../io.ts';
import { outerBridges } from '../session.ts';
import { loadWant } from '../want.ts';

export interface DeployFlags extends GlobalFlags {
  readonly config: string;
  readonly users: string;
  readonly labName?: string;
  readonly dryRun?: true;
  readonly detailedExitcode?: true;
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
  readonly encryptTo?: readonly string[];
  readonly adopt?: true;
  readonly updateRunning?: true;
}

const PENDING = 6;

function placementOf(flags: DeployFlags) {
  if (flags.node !== undefined && flags.strategy !== undefined && flags.strategy !== 'specific') {
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

/** `--only` takes user ids, or their part before the realm. */
function selectUsers(users: readonly User[], only: readonly string[] | undefined): readonly User[] {
  if (!only) return users;
  const matches = (user: User, name: string) => user.userid === name || nameIn(user.userid) === name;
  const unknown = only.filter((name) => !users.some((user) => matches(user, name)));
  if (unknown.length > 0) {
    throw new UsageError(
      'UNKNOWN_USER',
      `--only names users that are not in the users file: ${unknown.join(', ')}`,
      {
        hint: 'write them as in the users file, e.g. anna@pve',
      },
    );
  }
  return users.filter((user) => only.some((name) => matches(user, name)));
}

function toWant(io: ProgramIo, flags: DeployFlags, warn: (text: string) => void): DeployWant {
  const { lab, users, files, warnings } = loadWant(flags, outerBridges(io, flags), placementOf(flags));
  for (const warning of warnings) warn(warning);
  return {
    lab,
    users: selectUsers(users, flags.only),
    files,
    options: {
      adopt: flags.adopt === true,
      updateRunning: flags.updateRunning === true,
      fit: flags.fit === true,
    },
  };
}

export async function runDeploy(io: ProgramIo, flags: DeployFlags): Promise<void> {
  if (flags.detailedExitcode && !flags.dryRun) {
    throw new UsageError('DETAILED_EXITCODE', '--detailed-exitcode has no meaning without --dry-run', {
      hint: 'add --dry-run, or leave it out',
    });
  }
  if (flags.plan !== undefined && flags.dryRun) {
    throw new UsageError('PLAN_AND_DRY_RUN', '--plan applies a saved plan, --dry-run only shows one', {
      hint: 'leave one of them out',
    });
  }
  if (flags.out !== undefined) await assertPlanFile(flags.out);
  const saved = flags.plan === undefined ? undefined : loadPlan(flags.plan);
  await runChanging(io, flags, async (run) => {
    const want = toWant(io, flags, (text) => run.output.warn(text));
    // Before anything is contacted; applying asks again.
    if (saved) assertOfClass(saved, want);
    const credentialsFile = flags.credentials ?? `credentials-${want.lab.name}.csv`;
    const session = await run.connect();
    if (flags.dryRun) {
      const { plan, summary, lacking } = await previewDeploy(want, await run.runContext());
      await run.warnLacking(lacking);
      if (flags.out !== undefined) await savePlan(plan, flags.out);
      run.output.result(toResultDocument(plan, summary), () => renderPlan(plan, run.output));
      const isRefused = plan.stands.some((stand) => stand.refused ?? stand.left);
      if (flags.detailedExitcode && (plan.steps.length > 0 || isRefused)) io.setExitCode(PENDING);
      return;
    }
    const { out } = flags;
    const context: DeployContext = {
      ...(await run.withCredentials(credentialsFile)),
      ...(out === undefined ? {} : { keepPlan: (plan) => savePlan(plan, out) }),
    };
    const outcome = saved ? await applySavedPlan(saved, want, context) : await deploy(want, context);
    run.finish();
    for (const warning of outcome.plan.warnings) run.output.warn(warning);
    run.output.result(toResultDocument(outcome.plan, outcome.summary), () =>
      renderSummary(outcome.plan, outcome.summary, {
        ...run.output,
        url: session.url,
        credentialsFile: flags.encryptTo ? `${credentialsFile} (encrypted)` : credentialsFile,
        resumeCommand: commandLine(io.argv),
      }),
    );
    io.setExitCode(exitCodeOf(outcome, run.stoppedBy()));
  });
}
