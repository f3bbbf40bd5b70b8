/** The story of `init`: a ready-made lab as files in a folder of its own; replaces none that is there. */
import { ConfigError, PlanRefusedError } from '../errors.ts';
import { FileProblem } from '../files/problem.ts';
import { assertReplaceable, makeFolder, replaceFile } from '../files/replace.ts';
import type { ReadContext } from '../inventory/pools.ts';
import { readInventory } from '../inventory/read.ts';
import { starterChecks, starterLab, starterReadme, type StarterName } from '../starters/catalogue.ts';
import { classFile, fillIn } from '../starters/fill-in.ts';
import { findNames, type FoundNames } from '../starters/found-names.ts';

export interface InitWant {
  readonly starter: StarterName;
  readonly folder: string;
  /** The path of a file in it. */
  readonly fileIn: (name: string) => string;
  readonly labName?: string | undefined;
  readonly students: number;
  readonly prefix: string;
  readonly realm: string;
}

/** Templates and bridges that are there. */
export async function lookForNames(context: ReadContext): Promise<FoundNames> {
  const names = findNames(await readInventory(context, { templates: [], claimed: () => [] }));
  if (names) return names;
  throw new PlanRefusedError('NO_TEMPLATES', 'no template is seen on this cluster, so none can be named', {
    hint: 'make one (`qm template VMID`), or give the account VM.Audit on it; without --from-cluster the lab names examples',
  });
}

function filesOf(want: InitWant, names: FoundNames | undefined): [string, string][] {
  const { starter, labName, students, prefix, realm } = want;
  return [
    ['lab.yml', fillIn(starterLab(starter), { labName, names })],
    ['users.yml', classFile(students, prefix, realm)],
    ['checks.yml', starterChecks(starter)],
    ['README.md', starterReadme(starter)],
  ];
}

/** Never one that holds something: the work of somebody may be in it. */
const NONE = { isOurs: () => false };

/** Answers the paths of what was written. All or nothing, as far as can be told beforehand. */
export async function writeStarter(want: InitWant, names: FoundNames | undefined): Promise<string[]> {
  const { folder, fileIn } = want;
  const files = filesOf(want, names).map(([name, text]) => ({ file: fileIn(name), text }));
  let at = folder;
  try {
    makeFolder(folder);
    for (const { file } of files) {
      at = file;
      await assertReplaceable(file, NONE);
    }
    for (const { file, text } of files) {
      at = file;
      await replaceFile(file, text, NONE);
    }
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new ConfigError('INIT', `${at} cannot be written: ${error.message}`, {
      hint: 'name another folder with --out',
      cause: error,
    });
  }
  return files.map(({ file }) => file);
}
