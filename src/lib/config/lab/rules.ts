/** The rules for a lab that a JSON Schema cannot say, one function each. They report and never change anything. */
import { takesNode } from './strategy-names.ts';
import { isReservedSnapshotName } from '../../pve-values/snapshot-name.ts';
import { bridgeRangeOf, bridgeRangeProblem, isInside, showRange } from './bridge-range.ts';
import { printable, type Issues, type Path } from '../input/issues.ts';
import { judgeChecks } from '../checks/rules.ts';
import { poolPatternIsLegal } from './pool-pattern.ts';
import type { LabView, MachineView } from './written-lab.ts';
import { isoDay, parseDate } from '../input/dates.ts';
import { isDnsName, slug } from '../input/names.ts';
import { pveTexts, type TextProblem } from '../input/pve-text.ts';
import { networkRules } from './network-rules.ts';
import { placementRules } from './placement-rules.ts';
import { integer, isMapping, list, mapping, text, texts, type Written } from '../input/written.ts';
import { writtenProfile } from './device-profiles.ts';

export type LabRule = (lab: LabView, issues: Issues) => void;

function machineNamesAreUnique({ machines }: LabView, issues: Issues): void {
  const seen = new Map<string, MachineView>();
  for (const machine of machines) {
    const key = machine.name?.toLowerCase();
    if (key === undefined || key === '') continue;
    const first = seen.get(key);
    if (!first) {
      seen.set(key, machine);
      continue;
    }
    const line = issues.line([...first.path, 'name']);
    const message = `another machine of the lab has this name (line ${line}); case does not count`;
    issues.add([...machine.path, 'name'], message, {
      value: machine.name,
      hint: 'give each machine a name of its own',
    });
  }
}

function machineNamesAreDnsNames({ machines }: LabView, issues: Issues): void {
  for (const { path, name } of machines) {
    if (name === undefined || name === '' || isDnsName(name)) continue;
    const isLong = name.split('.').some((label) => label.length > 63);
    const message = isLong
      ? 'PVE refuses this VM name: a part has more than 63 characters'
      : 'PVE refuses this VM name: only letters a–z, digits and inner hyphens make a DNS name';
    const better = isLong ? undefined : slug(name);
    const hint = better === undefined ? 'use a short name such as student-pc' : `for example: ${better}`;
    issues.add([...path, 'name'], message, { value: name, hint });
  }
}

const TEMPLATE_KEYS = ['template_vmid', 'template', 'template_tag'];

function templateIsNamedOnce({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    const [first, second] = TEMPLATE_KEYS.filter((key) => raw[key] !== undefined).reverse();
    if (first !== undefined && second !== undefined) {
      issues.add([...path, first], `${first} and ${second} are both given`, {
        hint: 'keep one of them',
        at: 'key',
      });
    } else if (first === undefined) {
      issues.add(path, 'the machine has no template', {
        hint: 'add template_vmid: 100, template: its-name, or template_tag: a-tag-of-it',
      });
    }
  }
}

function storageNeedsFullClone({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    if (raw['storage'] === undefined || raw['full_clone'] === true) continue;
    const message = 'a linked clone stays on its template’s storage: PVE refuses storage for it';
    const hint = 'add full_clone: true, or remove storage';
    issues.add([...path, 'storage'], message, { value: raw['storage'], hint });
  }
}

function placementFits({ raw }: LabView, issues: Issues): void {
  const placement = mapping(raw['placement']);
  const { strategy, node } = placement;
  if (takesNode(strategy) && node === undefined) {
    const hint = 'add placement.node: pve1, or give --node on the command line';
    issues.add(['placement', 'strategy'], `strategy ${String(strategy)} needs a node`, {
      value: strategy,
      hint,
    });
  }
  if (typeof strategy === 'string' && !takesNode(strategy) && node !== undefined) {
    const hint = 'use strategy: specific, or nodes: for a choice of nodes';
    issues.add(['placement', 'node'], `strategy ${strategy} takes no node`, { value: node, hint });
  }
  excludeContradictsNothing(placement, issues);
  reserveIsPossible(mapping(placement['reserve']), issues);
}

function excludeContradictsNothing(placement: Written, issues: Issues): void {
  const nodes = texts(placement['nodes']).map((entry) => entry.text);
  const { node } = placement;
  for (const { index, text: excluded } of texts(placement['exclude'])) {
    const hint = 'remove it from one of the two';
    if (nodes.includes(excluded)) {
      issues.add(['placement', 'exclude', index], 'the node is in nodes and in exclude', {
        value: excluded,
        hint,
      });
    } else if (node === excluded) {
      issues.add(['placement', 'exclude', index], 'the stands’ node is excluded', { value: excluded, hint });
    }
  }
  if (typeof node === 'string' && nodes.length > 0 && !nodes.includes(node)) {
    const hint = `add ${node} to nodes, or remove nodes`;
    issues.add(['placement', 'node'], 'the node is not among nodes', { value: node, hint });
  }
}

function reserveIsPossible(reserve: Written, issues: Issues): void {
  for (const key of ['memory', 'cores']) {
    const percent = /^(.+?)\s*%$/.exec(text(reserve[key]) ?? '')?.[1];
    if (percent !== undefined && Number(percent) >= 100) {
      issues.add(['placement', 'reserve', key], 'nothing of the node would be left', { value: reserve[key] });
    }
  }
}

/** Both ends, as far as they can be read. */
export function vmidRangeOf(value: unknown): { first: number; last: number } | undefined {
  if (typeof value === 'string') {
    const match = /^(\d{3,9})\s*-\s*(\d{3,9})$/.exec(value);
    return match ? { first: Number(match[1]), last: Number(match[2]) } : undefined;
  }
  const first = integer(mapping(value)['first']);
  const last = integer(mapping(value)['last']);
  return first === undefined || last === undefined ? undefined : { first, last };
}

function vmidRangeIsLegal({ raw }: LabView, issues: Issues): void {
  const value = raw['vmid_range'];
  const range = vmidRangeOf(value);
  if (!range) {
    const hint = 'write "20000-29999"';
    if (typeof value === 'string') issues.add(['vmid_range'], 'is no range of VMIDs', { value, hint });
    return;
  }
  const shown = `${range.first}-${range.last}`;
  if (range.first > range.last) {
    const hint = `write ${range.last}-${range.first}`;
    issues.add(['vmid_range'], 'the range ends before it starts', { value: shown, hint });
  } else if (range.first < 100) {
    issues.add(['vmid_range'], 'PVE keeps VMIDs below 100 for itself', {
      value: shown,
      hint: 'start at 100 or above',
    });
  }
}

function bridgeRangeIsLegal({ raw, outerBridges }: LabView, issues: Issues): void {
  const value = raw['bridge_range'];
  const problem = bridgeRangeProblem(value);
  if (problem) {
    const { message, ...details } = problem;
    issues.add(['bridge_range'], message, details);
    return;
  }
  const range = bridgeRangeOf(value);
  if (!range || !outerBridges || isInside(range, outerBridges.range)) return;
  const outer = showRange(outerBridges.range);
  issues.add(
    ['bridge_range'],
    `is not inside bridge_range ${outer} of connection "${printable(outerBridges.connection)}"`,
    { value: showRange(range), hint: `choose numbers from ${outer}, or leave bridge_range out` },
  );
}

function expiresIsADate({ raw }: LabView, issues: Issues): void {
  const value = text(raw['expires']);
  if (value === undefined || parseDate(value) !== undefined) return;
  const hint = `write ${isoDay(value) ?? 'YYYY-MM-DD, for example 2026-12-24'}`;
  issues.add(['expires'], 'is no date', { value, hint });
}

/** `2G`, `2GiB`, `2048 MB`: the key holds a number of MiB. */
function memoryIsANumber({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    const value = text(raw['memory']);
    const [, amount, unit] = /^(\d+(?:[.,]\d+)?)\s*([KMGT])?(?:i?B)?$/i.exec(value ?? '') ?? [];
    if (value === undefined || amount === undefined) continue;
    const factor = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 }[unit?.toUpperCase() ?? 'M'] ?? 1;
    const hint = `in MiB: memory: ${Math.round(Number(amount.replace(',', '.')) * factor)}`;
    issues.add([...path, 'memory'], 'must be a whole number of MiB, but is text', { value, hint });
  }
}

/** `networks: [vmbr0, hq]`: each NIC is a mapping. */
function networksAreMappings({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    const { networks } = raw;
    const entries = typeof networks === 'string' ? [{ index: undefined, text: networks }] : texts(networks);
    for (const { index, text: bridge } of entries) {
      const nic = `{ bridge: ${yamlWord(bridge)} }`;
      const hint = index === undefined ? `write networks: [${nic}]` : `write ${nic} in its place`;
      const where = [...path, 'networks', ...(index === undefined ? [] : [index])];
      issues.add(where, 'is just a name: a NIC is a mapping that names its bridge', { value: bridge, hint });
    }
  }
}

function yamlWord(word: string): string {
  return /^[A-Za-z][\w.-]*$/.test(word) ? word : JSON.stringify(word);
}

function passwordsAreLongEnough({ raw }: LabView, issues: Issues): void {
  const length = integer(mapping(raw['passwords'])['length']);
  if (length !== undefined && length >= 5 && length < 8) {
    issues.warn(
      ['passwords', 'length'],
      `PVE 8.3 and later refuse passwords of ${length} characters; the least is 8`,
    );
  }
}

function snapshotNamesAreLegal({ machines }: LabView, issues: Issues): void {
  for (const { path, raw } of machines) {
    const name = text(raw['baseline_snapshot']);
    if (name !== undefined && isReservedSnapshotName(name)) {
      const hint = 'choose another name, or true for "baseline"';
      issues.add([...path, 'baseline_snapshot'], 'PVE keeps this snapshot name for itself', {
        value: name,
        hint,
      });
    }
  }
}

function cloudInitFits({ machines }: LabView, issues: Issues): void {
  for (const machine of machines) {
    const cloudInit = machine.raw['cloud_init'];
    if (!isMapping(cloudInit)) continue;
    cloudInitTextsAreKept([...machine.path, 'cloud_init'], cloudInit, issues);
    ipConfigHasItsNic(machine, cloudInit['ip_config'], issues);
    sshKeysArePublic(machine, cloudInit['ssh_keys'], issues);
  }
}

/** Fields that are a text, or a list or mapping of texts. */
const CLOUD_INIT_TEXTS = ['user', 'password', 'searchdomain', 'nameserver', 'ip_config'] as const;

function cloudInitTextsAreKept(path: Path, cloudInit: Written, issues: Issues): void {
  for (const key of CLOUD_INIT_TEXTS) {
    const judge: (value: string) => TextProblem | undefined = pveTexts[`cloud_init.${key}`];
    const value = cloudInit[key];
    const entries: [Path, unknown][] =
      typeof value === 'string'
        ? [[[], value]]
        : Array.isArray(value)
          ? value.map((entry, index) => [[index], entry])
          : Object.entries(mapping(value)).map(([name, entry]) => [[name], entry]);
    for (const [below, entry] of entries) {
      const problem = typeof entry === 'string' && entry !== '' ? judge(entry) : undefined;
      if (problem)
        issues.add([...path, key, ...below], problem.message, { value: entry, hint: problem.hint });
    }
  }
}

function ipConfigHasItsNic(machine: MachineView, ipConfig: unknown, issues: Issues): void {
  const path = [...machine.path, 'cloud_init', 'ip_config'];
  const before = writtenProfile(machine.raw['device_type']).managementCards.length;
  const count = list(machine.raw['networks']).length + before;
  const numbers = Array.isArray(ipConfig)
    ? ipConfig.map((_, index) => index)
    : Object.keys(mapping(ipConfig));
  for (const number of numbers) {
    if (!/^\d{1,2}$/.test(String(number)) || Number(number) < count) continue;
    const hint = count === 0 ? 'the machine has no NIC' : `the NICs are numbered 0 to ${count - 1}`;
    issues.add([...path, number], `the machine has no NIC ${number}`, { hint });
  }
}

function sshKeysArePublic(machine: MachineView, keys: unknown, issues: Issues): void {
  const path = [...machine.path, 'cloud_init', 'ssh_keys'];
  const entries = typeof keys === 'string' ? [{ index: undefined, text: keys }] : texts(keys);
  for (const { index, text: entry } of entries) {
    const where = index === undefined ? path : [...path, index];
    const lines = entry.split('\n').map((line) => line.trim());
    const odd = lines.find((line) => line !== '' && !line.startsWith('#') && !isPublicKey(line));
    if (odd === undefined) continue;
    const message = odd.includes('PRIVATE KEY') ? 'this is a private key' : 'is no public SSH key';
    issues.add(where, message, { hint: 'paste the line of a .pub file: ssh-ed25519 AAAA… comment' });
  }
}

function isPublicKey(line: string): boolean {
  return /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+@openssh\.com) [A-Za-z0-9+/=]{16,}( .*)?$/.test(line);
}

function checksAreSound({ raw, machines }: LabView, issues: Issues): void {
  const known = machines.flatMap(({ name, networks }): [string, string[]][] =>
    name === undefined ? [] : [[name, networks.map(({ bridge }) => bridge.name)]],
  );
  judgeChecks(list(raw['checks']), ['checks'], new Map(known), issues);
}

/** Every rule; the order of reports is that of the file. */
export const labRules: readonly LabRule[] = [
  machineNamesAreUnique,
  machineNamesAreDnsNames,
  templateIsNamedOnce,
  storageNeedsFullClone,
  placementFits,
  ...placementRules,
  vmidRangeIsLegal,
  bridgeRangeIsLegal,
  poolPatternIsLegal,
  expiresIsADate,
  memoryIsANumber,
  networksAreMappings,
  passwordsAreLongEnough,
  snapshotNamesAreLegal,
  cloudInitFits,
  ...networkRules,
  checksAreSound,
];
