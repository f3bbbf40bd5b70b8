/** Where the older tools put the cards of a machine that is taken over: how far behind ours, by what the cards are on. Plans no step. */
import { aliasOf, networkName, ownNetworks } from '../../config/lab/networks.ts';
import { isAdoptableName } from '../../pve-values/bridge-name.ts';
import type { Lab, Machine } from '../../config/types.ts';
import { presentNics, type PresentNic } from '../../pve-values/nics.ts';
import { nicIndex } from '../../config/lab/device-profiles.ts';

type Values = Readonly<Record<string, string>>;

/** Of PVE: net0 to net31. */
const LAST_NIC = 31;

/** May the cards from here on be those of the lab, all of them, and each of the stand's networks be one bridge? */
function isFitting(machine: Machine, nics: ReadonlyMap<number, PresentNic>, shift: number): boolean {
  const bridges = new Map<string, string>();
  return machine.networks.every((network, position) => {
    const bridge = nics.get(nicIndex(machine, position, shift))?.bridge;
    const alias = aliasOf(network);
    if (alias === undefined) return bridge === networkName(network);
    if (bridge === undefined) return false;
    const own = bridges.get(alias) ?? bridge;
    bridges.set(alias, own);
    return isAdoptableName(bridge) && own === bridge;
  });
}

/** Every shift with which all cards fit, the smallest first. */
function fittingShifts(machine: Machine, values: Values): number[] {
  const nics = new Map(presentNics(values).map((nic) => [nic.index, nic]));
  const shifts: number[] = [];
  const end = machine.networks.length;
  for (let shift = 0; end > 0 && nicIndex(machine, end - 1, shift) <= LAST_NIC; shift += 1)
    if (isFitting(machine, nics, shift)) shifts.push(shift);
  return shifts;
}

/** On shared bridges alone nothing tells the template's card from the lab's, but that the older tool added its own last. */
function lastCards(machine: Machine, values: Values, shifts: readonly number[]): number | undefined {
  if (ownNetworks(machine).length > 0) return undefined;
  const last = presentNics(values).at(-1)?.index;
  return shifts.find((shift) => nicIndex(machine, machine.networks.length - 1, shift) === last);
}

/**
 * Machine → the shift with which its cards are what the lab says; 0 where none is, so that what contradicts is told of our
 * own places. Where several fit, that of the stand's other machines of the same kind counts: one tool made them all.
 */
export function findNicShifts(
  lab: Pick<Lab, 'machines'>,
  taken: ReadonlyMap<string, Values>,
  settled: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const machines = lab.machines.flatMap((machine) => {
    const values = taken.get(machine.name);
    return values === undefined ? [] : [{ machine, values, shifts: fittingShifts(machine, values) }];
  });
  const known = [
    ...lab.machines.map((machine) => [machine.deviceType, settled.get(machine.name)] as const),
    ...machines.flatMap(({ machine, shifts }) =>
      shifts.length === 1 ? [[machine.deviceType, shifts[0]] as const] : [],
    ),
  ];
  return new Map(
    machines.map(({ machine, values, shifts }) => {
      const likeOthers = shifts.find((shift) =>
        known.some(([type, other]) => type === machine.deviceType && other === shift),
      );
      return [machine.name, likeOthers ?? lastCards(machine, values, shifts) ?? shifts[0] ?? 0];
    }),
  );
}
