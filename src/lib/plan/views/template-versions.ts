/** From which templates the machines of a class were made, and which are of a version that has changed since: a read model. */
import type { Lab, Machine } from '../../config/types.ts';
import { groupBy } from '../../group.ts';
import type { Inventory } from '../../inventory/types.ts';
import { compareNatural } from '../../order.ts';
import { createdAt } from '../../pve-values/created.ts';
import { isFresh } from '../cluster/replicas.ts';
import { resolveTemplate, type FoundTemplates, type Template } from '../cluster/templates.ts';
import type { ClusterView } from '../cluster/view.ts';
import { madeFrom, makeOf, type Make } from '../stands/made-as.ts';
import { isWritable } from '../stands/ownership.ts';
import type { StandView } from '../stands/selected.ts';
import type {
  MadeMachine,
  SeenTemplates,
  TemplateCopy,
  TemplateOriginal,
  TemplateVersion,
} from './report-types.ts';

interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
}

interface ResolvedMachine extends FoundTemplates {
  readonly machine: Machine;
}

/** Administrators write there which version it is. */
function firstLine({ values }: Template): string | null {
  const lines = (values['description'] ?? '').split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '') ?? null;
}

function originalOf(template: Template): TemplateOriginal {
  const { vmid, node, digest, values } = template;
  return { vmid, node, made: createdAt(values), notes: firstLine(template), version: madeFrom(digest) };
}

function copiesOf({ candidates }: FoundTemplates, index: ClusterView): TemplateCopy[] {
  return candidates
    .flatMap((source) =>
      index.replicas
        .filter(({ claim, state }) => claim.source === source.vmid && state === 'ready')
        .map((replica) => ({
          ...{ vmid: replica.claim.vmid, node: replica.node, made: replica.claim.since },
          isCurrent: isFresh(replica, source),
        })),
    )
    .sort((a, b) => compareNatural(a.node, b.node) || a.vmid - b.vmid);
}

interface Judged extends MadeMachine {
  readonly make: Make;
}

function judged(stands: readonly StandView[], one: ResolvedMachine, { lab, index }: Request): Judged[] {
  return stands.flatMap(({ user, machines }) =>
    machines.flatMap(({ machine, vmid, verdict, config, isSelected }): Judged[] => {
      if (!isSelected || machine !== one.machine.name || !isWritable(verdict)) return [];
      const make = config ? makeOf(lab, one, config, index) : 'untold';
      return [{ user, machine, vmid, make }];
    }),
  );
}

const ofMake = (all: readonly Judged[], wanted: Make): MadeMachine[] =>
  all
    .filter(({ make }) => make === wanted)
    .map(({ user, machine, vmid }) => ({ user, machine, vmid }))
    .sort((a, b) => compareNatural(a.user, b.user) || a.vmid - b.vmid);

/** Machines of the lab that are made from the same templates share a row. */
export function viewTemplateVersions(stands: readonly StandView[], request: Request): SeenTemplates {
  const { lab, have, index } = request;
  const found = lab.machines.map((machine) => ({
    machine,
    templates: resolveTemplate(machine, have, lab.file),
  }));
  const resolved = found.flatMap(({ machine, templates }): ResolvedMachine[] =>
    'code' in templates ? [] : [{ machine, ...templates }],
  );
  const unread = found.flatMap(({ machine, templates }) => ('code' in templates ? [machine.name] : []));
  const rows = groupBy(resolved, ({ candidates }) => candidates.map(({ vmid }) => vmid).join(' '));
  return {
    templates: [...rows.values()].flatMap((group): TemplateVersion[] => {
      const [first] = group;
      if (!first) return [];
      const all = group.flatMap((one) => judged(stands, one, request));
      return [
        {
          name: first.template.name,
          originals: first.candidates.map(originalOf),
          copies: copiesOf(first, index),
          machines: group.map(({ machine }) => machine.name),
          current: ofMake(all, 'current').length,
          outdated: ofMake(all, 'outdated'),
          untold: ofMake(all, 'untold'),
        },
      ];
    }),
    notes: unread.length === 0 ? [] : [{ kind: 'version-unread', machines: unread }],
  };
}
