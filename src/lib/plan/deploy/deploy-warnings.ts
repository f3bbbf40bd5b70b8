/** What a deploy tells beside its steps, in this order, each once. Decides nothing about them. */
import type { Step } from '../document/step.ts';
import type { Refusal } from '../document/plan.ts';
import { gapTexts } from '../document/text.ts';
import { sealRiskWarning } from '../cluster/seal-risk.ts';
import type { ClusterView } from '../cluster/view.ts';
import { unseenGuests } from '../network/stand-bridges.ts';
import { obstacleNotes } from '../obstacles/obstacle-text.ts';
import type { Ledger } from '../placement/capacity.ts';
import { capacityWarnings } from '../placement/capacity-text.ts';
import type { NodeChoice } from '../placement/nodes.ts';
import { pamWarnings } from '../stands/accounts.ts';
import { disabledWarnings } from '../stands/disabled-account.ts';
import { accountEnd, accountWarnings, labWarnings } from '../stands/expiry.ts';
import type { StandState } from '../stands/state.ts';
import { unnamedInDeploy } from '../stands/unnamed.ts';
import { userConfigWarnings } from '../stands/user-config-size.ts';
import { untoldWarnings } from '../templates/copies-refused.ts';
import type { DeployInput, StandContext } from './context.ts';
import { fixedWarnings } from './fixed-wishes.ts';
import { formerNetworkWarnings } from './former-networks.ts';
import { frozenWarnings } from './frozen.ts';
import type { StandDraft } from './stand.ts';
import { hibernatedWarnings } from './hibernated.ts';
import { surplusWarnings } from './surplus.ts';
import { wishWarnings } from './wishes.ts';

/** Nodes that are left out although the lab would have them. */
export function nodeWarnings({ obstacles, copies }: NodeChoice): string[] {
  const unlooked = new Map([...obstacles].filter(([, { code }]) => code !== 'unwanted'));
  return [...obstacleNotes(unlooked), ...(copies ? untoldWarnings(copies) : [])];
}

/** A confined caller's are made there whatever others may do. */
function sealWarnings(steps: readonly Step[], { sealRisk, remakeRisk }: ClusterView): string[] {
  const isMade = steps.some((step) => step.kind === 'vm.clone' && step.joinsAtOnce === true);
  const isRemade = steps.some(({ kind }) => kind === 'vm.seal');
  const risk = isRemade ? remakeRisk : sealRisk;
  return isMade && risk ? [sealRiskWarning(risk)] : [];
}

interface Planned {
  readonly context: StandContext;
  readonly drafts: readonly StandDraft[];
  readonly steps: readonly Step[];
  /** Stands that were not refused. */
  readonly healthy: readonly StandState[];
  readonly ledger: Ledger;
  /** What `--fit` left out. */
  readonly shortage: Refusal | undefined;
  readonly ofLab: readonly string[];
}

/** Where the lab and what was made by it went different ways; no business of a reset, which minds its own machines. */
function formerWarnings({ lab, users, have, options }: DeployInput, { drafts, context }: Planned): string[] {
  if (options.reclone) return [];
  return [
    ...fixedWarnings(
      drafts.flatMap(({ fixed }) => fixed),
      options.recloneCommand ?? 'reset --reclone --outdated',
    ),
    ...surplusWarnings(
      drafts.flatMap(({ surplus }) => surplus),
      { command: options.pruneCommand ?? 'deploy --prune', isPruned: options.prune !== undefined },
    ),
    ...formerNetworkWarnings(lab, users, have),
    ...(options.isWholeClass ? unnamedInDeploy(lab.name, users, context.index.marks) : []),
  ];
}

/** A typing error is refused earlier: what is named here is a machine of the lab. */
function replaceWarnings(replace: ReadonlySet<string>, states: readonly StandState[]): string[] {
  return [...replace]
    .filter((machine) => !states.some(({ replaced }) => replaced.has(machine)))
    .map(
      (machine) =>
        `--replace ${machine}: in none of these stands was it taken out of the pool, so nothing is made in its place`,
    );
}

export function deployWarnings(input: DeployInput, planned: Planned): string[] {
  const { context, drafts, steps, healthy, ledger, shortage, ofLab } = planned;
  const { lab, users, have, options } = input;
  const { index, machines, choice, replicas } = context;
  const bridges = drafts.flatMap((draft) => draft.bridgeSteps);
  return [
    ...new Set([
      ...gapTexts(have),
      ...(shortage ? [`${shortage.message}\n  ${shortage.hint ?? ''}`] : []),
      ...ofLab,
      ...wishWarnings(machines, have.version),
      ...labWarnings(lab, have.now),
      ...accountWarnings(users, have.now, (user) => accountEnd(user, index.users)),
      ...disabledWarnings(users.flatMap(({ userid }) => index.users.get(userid) ?? [])),
      ...pamWarnings(steps, have),
      ...userConfigWarnings(have, steps),
      ...frozenWarnings(healthy, context),
      ...hibernatedWarnings(
        drafts.map(({ stand }) => stand),
        steps,
        context,
      ),
      ...formerWarnings(input, planned),
      ...replaceWarnings(options.replace ?? new Set(), healthy),
      ...sealWarnings(steps, index),
      ...replicas.warnings(),
      ...nodeWarnings(choice),
      ...capacityWarnings(ledger),
      ...unseenGuests(bridges, have),
      ...drafts.flatMap((draft) => draft.warnings),
    ]),
  ];
}
