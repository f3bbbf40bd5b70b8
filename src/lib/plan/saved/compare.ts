/** What is planned now against a saved plan: it must want nothing that the saved one does not have. Decides by data alone. */
import { groupBy } from '../../group.ts';
import type { Plan, PlannedStand } from '../document/plan.ts';
import type { Step } from '../document/step.ts';
import { whyNotBridge, whyNotNode, whyNotVmid, type World } from './denied.ts';
import { createFindings, type Findings } from './findings.ts';
import { changedParts, counterpart, partText } from './same-step.ts';

interface Pair {
  readonly saved: PlannedStand;
  readonly now: PlannedStand;
  /** There are steps for it. */
  readonly isDue: boolean;
  readonly wasDue: boolean;
}

/** For a stand that is refused nothing is planned, which does not mean that it is done. */
function compareRefusals({ saved, now, isDue, wasDue }: Pair, findings: Findings): void {
  const { user } = now;
  if (now.refused && now.refused.code !== saved.refused?.code)
    findings.add(`refused ${now.refused.code}`, now.refused.message);
  else if (saved.refused && wasDue)
    findings.add('refused with steps', `the plan refuses the stand of ${user} and has steps for it`);
  else if (saved.refused && isDue)
    findings.add(
      'refused before',
      `the plan refuses the stand of ${user}, which can be made now: ${JSON.stringify(saved.refused.message)}`,
    );
}

/** What has a step in the saved plan and none now is done, unless it is put off. */
function comparePutOff({ saved, now }: Pair, findings: Findings): void {
  for (const vm of now.vms) {
    const before = saved.vms.find(({ name }) => name === vm.name);
    if (vm.state === 'pending-change' && before?.state !== 'pending-change')
      findings.add(
        'put off',
        `VM ${vm.vmid} (${vm.name}) is running: it is not changed without --update-running`,
      );
  }
}

function compareChoices({ saved, now }: Pair, world: () => World, findings: Findings): void {
  const deny = ({ kind, text }: { readonly kind: string; readonly text: string }) => findings.add(kind, text);
  if (saved.node !== undefined && saved.node !== now.node) {
    deny(whyNotNode(saved.node, now.node, world()));
    return;
  }
  for (const vm of now.vms) {
    const wished = saved.vms.find(({ name }) => name === vm.name)?.vmid;
    if (wished !== undefined && wished !== vm.vmid) deny(whyNotVmid(wished, vm.vmid, world()));
  }
  for (const { node, alias, iface } of now.bridges) {
    const wished = saved.bridges.find((one) => one.node === node && one.alias === alias)?.iface;
    if (wished !== undefined && wished !== iface)
      deny(whyNotBridge(wished, { node, instead: iface }, world()));
  }
}

function compareStep(now: Step, saved: Step | undefined, findings: Findings): void {
  if (!saved) {
    findings.add(`missing ${now.kind}`, `${now.id} is needed and not in the plan: ${now.reason}`);
    return;
  }
  for (const part of changedParts(now, saved))
    findings.add(
      `${now.kind} ${part}`,
      `${now.id}: ${part} is ${partText(saved, part)} in the plan and ${partText(now, part)} now`,
    );
}

function copiesOf({ steps }: Plan): Map<string, number> {
  return new Map(steps.flatMap((step) => (step.kind === 'template.clone' ? [[step.id, step.vmid]] : [])));
}

/** None: what is planned now is the saved plan, or what is left of it. `world` is asked for what differs. */
export function comparePlans(saved: Plan, now: Plan, world: () => World): Findings {
  const savedSteps = new Map(saved.steps.map((step) => [step.id, step]));
  const savedUsers = new Set(saved.steps.map(({ user }) => user));
  const savedStands = new Map(saved.stands.map((stand) => [stand.user, stand]));
  const steps = groupBy(now.steps, ({ user }) => user);
  const findings = createFindings();
  const explained = new Set<string | undefined>();

  for (const stand of now.stands) {
    const before = savedStands.get(stand.user);
    if (!before) continue;
    const isDue = steps.has(stand.user);
    const pair = { saved: before, now: stand, isDue, wasDue: savedUsers.has(stand.user) };
    const known = findings.count;
    compareRefusals(pair, findings);
    comparePutOff(pair, findings);
    // Of a stand that is complete it does not matter what was planned for it.
    if (isDue) compareChoices(pair, world, findings);
    if (findings.count > known) explained.add(stand.user);
  }
  const copies = copiesOf(saved);
  for (const [id, vmid] of copiesOf(now)) {
    const wished = copies.get(id);
    if (wished === undefined || wished === vmid) continue;
    explained.add(undefined);
    const { kind, text } = whyNotVmid(wished, vmid, world());
    findings.add(kind, text);
  }
  // What all share follows from what one of them has chosen.
  if (explained.size > 0) explained.add(undefined);
  for (const [user, group] of steps) {
    if (explained.has(user)) continue;
    for (const step of group) compareStep(step, counterpart(step, savedSteps), findings);
  }
  return findings;
}
