/** What `bridges` does with its flags: list; or plan, apply, render. */
import { isBridgeName } from '../../lib/pve-values/bridge-name.ts';
import { UsageError } from '../../lib/errors.ts';
import { renderBridges, toBridgesDocument } from '../../lib/render/bridges-text.ts';
import { changeBridges, listBridges, previewBridges, type BridgesWant } from '../../lib/workflow/bridges.ts';
import type { RunContext } from '../../lib/workflow/context.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { runPlanned, type PlanFlags } from '../planned-command.ts';

export interface NodeFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

export interface CreateFlags extends NodeFlags, PlanFlags {
  readonly vlanAware?: true;
}

export interface PruneFlags extends NodeFlags, PlanFlags {
  readonly minAge: number;
}

/** The newest PVE allows every name that any does. */
const NEWEST = '9.2';

async function change(io: ProgramIo, flags: PlanFlags, want: BridgesWant): Promise<void> {
  await runPlanned(io, flags, () => ({
    verb: want.do,
    preview: (context) => previewBridges(want, context),
    apply: (context: RunContext) => changeBridges(want, context),
  }));
}

const nodesOf = ({ nodes }: NodeFlags) => (nodes === undefined ? {} : { nodes });

export async function runList(io: ProgramIo, flags: NodeFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const report = await listBridges(flags.nodes, await run.runContext());
    run.output.result(toBridgesDocument(report), () => renderBridges(report, run.output));
  });
}

export async function runCreate(io: ProgramIo, flags: CreateFlags, names: readonly string[]): Promise<void> {
  const illegal = names.filter((name) => !isBridgeName(name, NEWEST));
  if (illegal.length > 0) {
    throw new UsageError('BRIDGE_NAME', `"${illegal.join('", "')}" cannot be the name of a bridge`, {
      hint: 'use 2 to 10 letters and digits, a letter first; vmbr0–vmbr4094 are understood by all versions of PVE',
    });
  }
  const vlanAware = flags.vlanAware === true;
  await change(io, flags, { do: 'create', names, vlanAware, ...nodesOf(flags) });
}

export async function runPrune(io: ProgramIo, flags: PruneFlags): Promise<void> {
  await change(io, flags, { do: 'prune', minAgeSeconds: flags.minAge, ...nodesOf(flags) });
}
