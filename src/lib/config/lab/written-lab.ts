/** A lab as written, taken apart for the rules: half-broken parts are left out rather than reported. */
import type { BridgeRange } from '../types.ts';
import { parseBridge, type BridgeName } from '../../pve-values/bridge-name.ts';
import type { Path } from '../input/issues.ts';
import { integer, isMapping, list, mapping, text, type Written } from '../input/written.ts';

export interface NetworkView {
  readonly path: Path;
  readonly raw: Written;
  /** As written under `bridge:`. */
  readonly written: string;
  readonly bridge: BridgeName;
}

export interface MachineView {
  readonly path: Path;
  readonly raw: Written;
  readonly name: string | undefined;
  readonly networks: readonly NetworkView[];
}

export interface LabView {
  readonly raw: Written;
  readonly machines: readonly MachineView[];
  /** Userids of the class; absent when no users file was given, or it could not be read. */
  readonly users?: readonly string[];
  /** What the connection leaves to labs. */
  readonly outerBridges?: OuterBridges;
}

/** `bridge_range` of the connection that a lab is for. */
export interface OuterBridges {
  readonly connection: string;
  readonly range: BridgeRange;
}

function viewNetwork(raw: unknown, path: Path): NetworkView[] {
  const written = text(mapping(raw)['bridge']);
  if (!isMapping(raw) || written === undefined || written === '') return [];
  return [{ path, raw, written, bridge: parseBridge(written, raw['reserved'] === true) }];
}

function viewMachine(raw: unknown, path: Path): MachineView[] {
  if (!isMapping(raw)) return [];
  const networks = list(raw['networks']).flatMap((network, index) =>
    viewNetwork(network, [...path, 'networks', index]),
  );
  return [{ path, raw, name: text(raw['name']), networks }];
}

export function viewLab(value: unknown): LabView {
  const raw = mapping(value);
  const machines = list(raw['machines']).flatMap((machine, index) =>
    viewMachine(machine, ['machines', index]),
  );
  return { raw, machines };
}

export function writtenNetworks(lab: LabView): readonly NetworkView[] {
  return lab.machines.flatMap((machine) => machine.networks);
}

/** VLAN tag of the suffix, else of `tag:`. */
export function tagOf({ bridge, raw }: NetworkView): number | undefined {
  return bridge.tag ?? integer(raw['tag']);
}
