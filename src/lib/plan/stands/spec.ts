/** The spec of a machine: a short hash of what configuration makes of it, written into the VM's mark. */
import { createHash } from 'node:crypto';
import type { CloudInit, Lab, Machine } from '../../config/types.ts';
import { canonicalText } from '../../order.ts';
import { nicFirewall, nicModel } from '../../config/lab/device-profiles.ts';

function hash(value: unknown, length: number): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex').slice(0, length);
}

/** A password's hash in a description that students read could be guessed at: left out. */
function withoutPassword(cloudInit: CloudInit | undefined): unknown {
  if (!cloudInit) return undefined;
  const { password, ...rest } = cloudInit;
  return { ...rest, hasPassword: password !== undefined };
}

/** By machine, lab and template: every stand of a class asks for the same ones. */
const known = new WeakMap<Machine, Map<string, string>>();

/**
 * `<what can be changed in place>.<what cannot>`. Networks enter by alias, not by bridge number, so that a stand
 * that moved to other bridges is still what the lab says.
 */
export function specOf(lab: Lab, machine: Machine, templateVmid: number): string {
  const specs = known.get(machine) ?? new Map<string, string>();
  known.set(machine, specs);
  const key = `${templateVmid} ${lab.name}`;
  const spec = specs.get(key) ?? makeSpec(lab, machine, templateVmid);
  specs.set(key, spec);
  return spec;
}

/** No part of what can be changed in place: it is fixed when the VM is cloned, or is nothing of its configuration. */
const ELSEWHERE = undefined;

/** Of each key of a machine what is compared. A new key is asked for here: one that is left out reaches no VM that is there. */
const IN_PLACE: { readonly [Key in keyof Machine]-?: ((machine: Machine) => unknown) | undefined } = {
  deviceType: ({ deviceType }) => deviceType,
  networks: (machine) =>
    machine.networks.map((network) => ({
      ...network,
      model: nicModel(machine, network),
      firewall: nicFirewall(machine, network),
    })),
  cores: ({ cores }) => cores,
  memory: ({ memory }) => memory,
  cloudInit: ({ cloudInit }) => withoutPassword(cloudInit),
  tags: ({ tags }) => tags,
  // Which machine a VM is.
  name: ELSEWHERE,
  // In the other half.
  template: ELSEWHERE,
  fullClone: ELSEWHERE,
  // Where it was made; balance may have moved it since.
  storage: ELSEWHERE,
  // What is done to it beside its configuration.
  poolRole: ELSEWHERE,
  start: ELSEWHERE,
  startOrder: ELSEWHERE,
  baselineSnapshot: ELSEWHERE,
  line: ELSEWHERE,
};

function makeSpec(lab: Lab, machine: Machine, templateVmid: number): string {
  const compared = Object.entries(IN_PLACE).map(([key, of]) => [key, of?.(machine)] as const);
  const inPlace = { ...Object.fromEntries(compared), lab: lab.name };
  const fixed = { templateVmid, full: machine.fullClone };
  return `${hash(inPlace, 12)}.${hash(fixed, 6)}`;
}

/** Of a VM that we did not configure: nothing is known of how it was made. */
const ADOPTED = 'adopted';

interface Spec {
  readonly inPlace: string;
  readonly fixed: string | undefined;
  /** How far its cards stand behind where we put them: written as `+1`, of adopted machines only. */
  readonly shift: number;
}

function parseSpec(text: string): Spec {
  const [halves = '', shift = ''] = text.split('+');
  const [inPlace = '', fixed] = halves.split('.');
  return { inPlace, fixed, shift: /^\d{1,2}$/.test(shift) ? Number(shift) : 0 };
}

function formatSpec({ inPlace, fixed, shift }: Spec): string {
  return `${inPlace}${fixed === undefined ? '' : `.${fixed}`}${shift === 0 ? '' : `+${shift}`}`;
}

export function adoptedSpec(nicShift: number): string {
  return formatSpec({ inPlace: ADOPTED, fixed: undefined, shift: nicShift });
}

export function isAdopted(spec: string | undefined): boolean {
  return spec !== undefined && parseSpec(spec).inPlace === ADOPTED;
}

export function nicShiftOf(spec: string | undefined): number {
  return spec === undefined ? 0 : parseSpec(spec).shift;
}

/** Tells apart the two halves of a spec: what differs can be changed in place, or not. */
export function compareSpecs(present: string, wanted: string): { inPlace: boolean; fixed: boolean } {
  const [is, ought] = [parseSpec(present), parseSpec(wanted)];
  return {
    inPlace: is.inPlace !== ought.inPlace,
    fixed: is.fixed !== undefined && is.fixed !== ought.fixed,
  };
}

/** `wanted`, but with the present record of what no configuration changes: template, clone mode, places of the cards. */
export function keepFixed(present: string, wanted: string): string {
  const [is, ought] = [parseSpec(present), parseSpec(wanted)];
  return formatSpec({ inPlace: ought.inPlace, fixed: is.fixed ?? ought.fixed, shift: is.shift });
}
