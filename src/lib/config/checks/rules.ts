/** What a JSON Schema cannot say of checks. Reports, and never changes anything. */
import { nearest } from '../../nearest.ts';
import { patternProblem } from '../../pattern.ts';
import { parseBridge } from '../../pve-values/bridge-name.ts';
import type { Issues, Path } from '../input/issues.ts';
import { isMapping, mapping, text, texts, type Written } from '../input/written.ts';
import { isPassable } from './shell-script.ts';
import { KIND_KEYS, timeoutSeconds } from './normalise.ts';

/** Machine → names of its networks. */
export type KnownMachines = ReadonlyMap<string, readonly string[]>;

/** Of those that run something. */
const RUNNING = ['expect', 'timeout'] as const;
const LONGEST_SECONDS = 600;

function namesAreUnique(checks: readonly unknown[], at: Path, issues: Issues): void {
  const seen = new Map<string, number>();
  checks.forEach((check, index) => {
    const name = text(mapping(check)['name'])?.trim();
    if (name === undefined || name === '') return;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else {
      const line = issues.line([...at, first, 'name']);
      issues.add([...at, index, 'name'], `another check has this name (line ${line})`, {
        value: name,
        hint: 'give each check a name of its own: it is a column of the table',
      });
    }
  });
}

/** Undefined: none, or more than one. */
function kindIsOne(check: Written, at: Path, issues: Issues): void {
  const given = Object.values(KIND_KEYS)
    .flat()
    .filter((kind) => check[kind] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    issues.add(at, 'the check does not say what is checked', {
      hint: 'add run: [program, argument], script: |, power: running, nic: { network: hq }, or snapshot: NAME',
    });
  } else if (second !== undefined) {
    issues.add([...at, second], `${first} and ${second} are both given`, {
      at: 'key',
      hint: 'make two checks of them',
    });
  }
  if (given.some((key) => KIND_KEYS.command.includes(key))) return;
  for (const key of RUNNING) {
    if (check[key] !== undefined)
      issues.add([...at, key], `${key} goes with run or script only`, { at: 'key', hint: 'leave it out' });
  }
}

function machineIsOfTheLab(check: Written, at: Path, machines: KnownMachines, issues: Issues): void {
  const machine = text(check['machine']);
  if (machine === undefined || machine === '' || machines.has(machine)) return;
  const near = nearest(machine, [...machines.keys()]);
  issues.add([...at, 'machine'], 'the lab has no such machine', {
    value: machine,
    hint: near === undefined ? `there are: ${[...machines.keys()].join(', ')}` : `did you mean ${near}?`,
  });
}

function networkIsOfTheMachine(check: Written, at: Path, machines: KnownMachines, issues: Issues): void {
  const network = text(mapping(check['nic'])['network']);
  const known = machines.get(text(check['machine']) ?? '');
  if (network === undefined || network === '' || !known) return;
  if (known.includes(parseBridge(network, false).name)) return;
  issues.add([...at, 'nic', 'network'], 'no card of this machine is in such a network', {
    value: network,
    hint: known.length === 0 ? 'the machine has no cards' : `it has cards in ${known.join(', ')}`,
  });
}

function runCanBePassed(check: Written, at: Path, issues: Issues): void {
  const words = texts(check['run']);
  for (const { index, text: word } of words) {
    if (isPassable(word)) continue;
    issues.add([...at, 'run', index], 'Proxmox VE passes only ASCII on to a guest agent', {
      value: word,
      hint: 'write it as a script: it may hold any character',
    });
  }
  const last = words.at(-1);
  if (words[0]?.text === '') issues.add([...at, 'run', 0], 'the program has no name');
  else if (last?.text === '') {
    issues.add([...at, 'run', last.index], 'Proxmox VE 7 loses an empty argument at the end', {
      hint: 'write it as a script',
    });
  }
}

function patternsAreSound(check: Written, at: Path, issues: Issues): void {
  const expect = mapping(check['expect']);
  for (const key of ['stdout', 'stderr']) {
    const pattern = text(expect[key]);
    const problem = pattern === undefined ? undefined : patternProblem(pattern);
    if (problem === undefined) continue;
    issues.add([...at, 'expect', key], `is no regular expression: ${problem}`, {
      value: pattern,
      hint: 'the syntax is that of RE2, which has no look-around and no back-references',
    });
  }
}

function timeoutIsBearable(check: Written, at: Path, issues: Issues): void {
  const written = check['timeout'];
  if (typeof written !== 'string') return;
  const seconds = timeoutSeconds(written);
  if (seconds >= 1 && seconds <= LONGEST_SECONDS) return;
  issues.add([...at, 'timeout'], 'must be from 1s to 10m', { value: written, hint: 'for example: 30s' });
}

/** `machines`: of the lab, where it is known. */
export function judgeChecks(
  checks: readonly unknown[],
  at: Path,
  machines: KnownMachines | undefined,
  issues: Issues,
): void {
  namesAreUnique(checks, at, issues);
  checks.forEach((check, index) => {
    if (!isMapping(check)) return;
    const here = [...at, index];
    kindIsOne(check, here, issues);
    if (machines) {
      machineIsOfTheLab(check, here, machines, issues);
      networkIsOfTheMachine(check, here, machines, issues);
    }
    runCanBePassed(check, here, issues);
    patternsAreSound(check, here, issues);
    timeoutIsBearable(check, here, issues);
  });
}
