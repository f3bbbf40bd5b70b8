/** The flags of `users`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command, Option } from 'commander';
import type { ExportKind } from '../../lib/lms/headings.ts';
import type { UseridFrom } from '../../lib/lms/userids.ts';
import type { DocumentFormat } from '../format-by-name.ts';
import type { ProgramIo } from '../io.ts';
import {
  allOf,
  collectValues,
  encryptToOption,
  envOption,
  labNameOption,
  labOption,
  languageOption,
  nonNegativeInteger,
  outOption,
  positiveInteger,
  usersOption,
  withDryRun,
} from '../options.ts';
import type { UsersChangeFlags } from './run-change.ts';
import type { UsersExportFlags } from './export-flags.ts';
import type { UsersImportFlags } from './run-import.ts';
import type { UsersFlags } from './selection.ts';

const LAB = 'the lab: role, passwords and name of the credentials file are taken from it';

function addSelection(command: Command, options: { readonly isFileNeeded?: boolean } = {}): Command {
  const users = usersOption();
  return command
    .addOption(options.isFileNeeded ? users.makeOptionMandatory() : users)
    .addOption(labOption(LAB))
    .addOption(labNameOption());
}

function addNamed(command: Command): Command {
  return command.option('--user <id>', 'only this user (may be repeated)', collectValues);
}

function addCredentials(command: Command): Command {
  return command.addOption(
    envOption(
      '--credentials <file>',
      'passwords (default: credentials-<lab>.csv with -c, else credentials.csv)',
    ),
  );
}

function addChange(command: Command): Command {
  return withDryRun(command.addOption(encryptToOption()));
}

function addMaxChanges(command: Command): Command {
  return command.addOption(
    envOption('--max-changes <n>', 'refuse to remove more objects than this').argParser(nonNegativeInteger),
  );
}

function changes(command: Command, io: ProgramIo, by: 'create' | 'sync' | 'delete' | 'passwd'): Command {
  return command.action(async (_: unknown, self: Command) => {
    const { runUsersChange } = await import('./run-change.ts');
    await runUsersChange(io, self.optsWithGlobals<UsersChangeFlags>(), by);
  });
}

function listCommand(io: ProgramIo): Command {
  const command = new Command('list').description('users with their pools, stands and passwords known');
  return addCredentials(addNamed(addSelection(command))).action(async (_: unknown, self: Command) => {
    const { runUsersList } = await import('./run-list.ts');
    await runUsersList(io, self.optsWithGlobals<UsersFlags>());
  });
}

function createCommand(io: ProgramIo): Command {
  const command = new Command('create').description('make missing users with a pool each');
  const options = addChange(addCredentials(addNamed(addSelection(command, { isFileNeeded: true }))));
  return changes(options, io, 'create');
}

function syncCommand(io: ProgramIo): Command {
  const command = new Command('sync').description('make users, pools and rights match the users files');
  const options = addChange(addCredentials(addSelection(command, { isFileNeeded: true })))
    .option('--disable', 'disable users of ours that no file names')
    .option('--prune', 'remove users of ours that no file names, once they have no stand');
  return changes(addMaxChanges(options), io, 'sync');
}

function deleteCommand(io: ProgramIo): Command {
  const command = new Command('delete').description(
    'remove users of ours that have no stand, with their pools',
  );
  const options = addChange(addCredentials(addNamed(addSelection(command))));
  return changes(addMaxChanges(options), io, 'delete');
}

function passwdCommand(io: ProgramIo): Command {
  const command = new Command('passwd').description('give users new passwords, kept in the credentials file');
  const options = addChange(addCredentials(addNamed(addSelection(command))))
    .option('--recreate', 'delete and create the users again: the only way for an API token')
    .option('--force-foreign', 'also users that deploy-stand did not create');
  return changes(options, io, 'passwd');
}

function exportCommand(io: ProgramIo): Command {
  const command = new Command('export').description('write logins and passwords for handing out');
  return addCredentials(addNamed(addSelection(command)))
    .addOption(
      new Option('--format <name>', 'what to write (default: as the name of the file ends)').choices(
        allOf<DocumentFormat>({ csv: true, json: true, markdown: true, html: true }),
      ),
    )
    .addOption(languageOption('of what students read'))
    .addOption(
      outOption('--out <file>', 'where to; readable by you alone', { instead: 'it holds passwords' }),
    )
    .option('--mail <folder>', 'a mail per student instead, as .eml files in this folder')
    .option('--send', 'send the mails that are missing, through --smtp')
    .addOption(envOption('--template <file>', 'text of the mails, with placeholders such as {{password}}'))
    .addOption(envOption('--mail-from <address>', 'whom the mails are from'))
    .addOption(envOption('--smtp <url>', 'smtps://user@host, or smtp://host for STARTTLS'))
    .option('--smtp-password <source>', 'env:NAME, file:PATH or command:… (or: DEPLOY_STAND_SMTP_PASSWORD)')
    .option('--smtp-ca-file <file>', 'the authority of its certificate')
    .addOption(envOption('--mail-rate <n>', 'mails per minute').argParser(positiveInteger).default(60))
    .addOption(encryptToOption())
    .action(async (_: unknown, self: Command) => {
      const { runUsersExport } = await import('./run-export.ts');
      await runUsersExport(io, self.optsWithGlobals<UsersExportFlags>());
    });
}

function importCommand(io: ProgramIo): Command {
  return new Command('import')
    .description('write users.yml from the course of a learning platform')
    .argument('[file]', 'what the platform exported; with --url there is none')
    .addOption(
      new Option('--from <platform>', 'whose export it is')
        .choices(allOf<ExportKind>({ moodle: true, canvas: true, csv: true }))
        .makeOptionMandatory(),
    )
    .addOption(envOption('--realm <realm>', 'where the users log in').default('pve'))
    .addOption(
      new Option(
        '--userid-from <column>',
        'what userids are made of (default: the first that is there)',
      ).choices(allOf<UseridFrom>({ email: true, username: true, sisid: true, idnumber: true })),
    )
    .addOption(
      outOption('--out <file>', 'the users file to write', { instead: 'name it, for example users.yml' }),
    )
    .option('--merge <users.yml>', 'keep the userids of this file; without --out it is written to')
    .option('--no-groups', 'without the groups of the platform: those in users.yml are groups of PVE')
    .addOption(envOption('--url <address>', 'ask this Moodle itself', 'MOODLE_URL'))
    .addOption(
      new Option('--course <number>', 'the course there, as in …/course/view.php?id=…').argParser(
        positiveInteger,
      ),
    )
    .option('--token <source>', 'env:NAME, file:PATH or command:… (or: DEPLOY_STAND_MOODLE_TOKEN)')
    .option('--ca-file <file>', 'the authority of its certificate')
    .option('--fingerprint <sha256>', 'its certificate, instead of an authority')
    .action(async (file: string | undefined, _: unknown, self: Command) => {
      const { runUsersImport } = await import('./run-import.ts');
      await runUsersImport(io, self.optsWithGlobals<UsersImportFlags>(), file);
    });
}

export function usersCommand(io: ProgramIo): Command {
  const command = new Command('users').description(
    'list, create, change, remove and import the users of a class',
  );
  const subcommands = [
    listCommand(io),
    createCommand(io),
    syncCommand(io),
    deleteCommand(io),
    passwdCommand(io),
    exportCommand(io),
    importCommand(io),
  ];
  for (const subcommand of subcommands) command.addCommand(subcommand);
  return command;
}
