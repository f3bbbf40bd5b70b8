/** What `init` does with its flags: list the ready-made labs, or write the files of one. */
import { join } from 'node:path';
import { isLabName, LAB_NAME_RULE } from '../../lib/config/input/names.ts';
import { UsageError } from '../../lib/errors.ts';
import { nearestOf } from '../../lib/nearest.ts';
import { paragraph, renderColumns } from '../../lib/render/layout.ts';
import { shellCommand } from '../../lib/shell.ts';
import { describeStarter, isStarter, STARTERS, type StarterName } from '../../lib/starters/catalogue.ts';
import { lookForNames, writeStarter } from '../../lib/workflow/init.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';

export interface InitFlags extends GlobalFlags {
  readonly list?: true;
  readonly out?: string;
  readonly students: number;
  readonly prefix: string;
  readonly realm: string;
  readonly labName?: string;
  readonly fromCluster?: true;
}

/** Of one class; a users file takes 10,000. */
const MOST_STUDENTS = 10_000;

function starterOf(name: string): StarterName {
  if (isStarter(name)) return name;
  const near = nearestOf(name, STARTERS, 3);
  const guess = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : '';
  throw new UsageError('UNKNOWN_TEMPLATE', `there is no ready-made lab "${name}"`, {
    hint: `${guess}there are: ${STARTERS.join(', ')}`,
  });
}

function assertNames({ prefix, realm, labName, students }: InitFlags): void {
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,39}$/.test(prefix)) {
    throw new UsageError('PREFIX', `--prefix ${JSON.stringify(prefix)} cannot begin the name of a user`, {
      hint: 'a letter, then letters, digits and - _ . (40 at most)',
    });
  }
  if (!/^[A-Za-z][A-Za-z0-9._-]+$/.test(realm)) {
    throw new UsageError('REALM', `--realm ${JSON.stringify(realm)} cannot be a realm of PVE`, {
      hint: 'for example: --realm pve',
    });
  }
  if (labName !== undefined && !isLabName(labName)) {
    throw new UsageError('LAB_NAME', `--lab-name ${JSON.stringify(labName)} cannot be the name of a lab`, {
      hint: LAB_NAME_RULE,
    });
  }
  if (students > MOST_STUDENTS) {
    throw new UsageError('STUDENTS', `--students ${students}: a class has at most ${MOST_STUDENTS} users`);
  }
}

function list({ output }: Changing): void {
  const labs = STARTERS.map((name) => ({ name, description: describeStarter(name) }));
  output.result({ templates: labs }, () =>
    [
      ...renderColumns(
        labs.map(({ name, description }) => [{ text: name }, { text: description }]),
        { width: output.width, fixed: [0] },
      ),
      '',
      `make one: ${shellCommand('deploy-stand', 'init', 'router-and-hosts', '--students', '25')}`,
    ].join('\n'),
  );
}

async function make(run: Changing, starter: StarterName, flags: InitFlags): Promise<void> {
  const { out: folder = starter, students, prefix, realm, labName } = flags;
  const names = flags.fromCluster ? await lookForNames(await run.runContext()) : undefined;
  const want = { starter, folder, labName, students, prefix, realm };
  const files = await writeStarter({ ...want, fileIn: (name) => join(folder, name) }, names);
  run.finish();
  for (const note of names?.notes ?? []) run.output.warn(note);
  const [lab = '', users = ''] = files;
  const deploy = ['deploy-stand', 'deploy', '-c', lab, '-u', users];
  const isSimulated = flags.simulate !== undefined;
  const steps = [
    flags.fromCluster
      ? { what: 'what it would make', command: shellCommand(...deploy, '--dry-run') }
      : { what: 'rehearse it without a cluster', command: shellCommand(...deploy, '--simulate') },
    // Of a rehearsal the own cluster is no part: the next command is one in the same simulation.
    ...(isSimulated && !flags.fromCluster
      ? []
      : [{ what: isSimulated ? 'make it' : 'on your cluster', command: shellCommand(...deploy) }]),
  ];
  const next = steps.map(({ command }) => command);
  run.output.result({ template: starter, files, students, notes: names?.notes ?? [], next }, () =>
    [
      ...paragraph(
        `made ${files.join(', ')}: ${describeStarter(starter)}, for ${students} ${students === 1 ? 'student' : 'students'}`,
        { width: run.output.width, hang: 2 },
      ),
      ...steps.flatMap(({ what, command }) => [`${what}:`, `  ${command}`]),
    ].join('\n'),
  );
}

export async function runInit(io: ProgramIo, template: string | undefined, flags: InitFlags): Promise<void> {
  const starter = template === undefined ? undefined : starterOf(template);
  assertNames(flags);
  await runChanging(io, flags, async (run) => {
    if (flags.list || starter === undefined) list(run);
    else await make(run, starter, flags);
  });
}
