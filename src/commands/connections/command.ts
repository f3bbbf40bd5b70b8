/** The flags of `connections`. The work is loaded only when it is asked for: `--help` has to be quick. */
import { Command, Option } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import type { Platform } from '../../lib/config/types.ts';
import type { ProgramIo } from '../io.ts';
import { allOf, collectValues, envOption } from '../options.ts';
import type { AddFlags } from './run-add.ts';
import type { GlobalFlags } from '../options.ts';
import type { SecretsFlags } from './run-secrets.ts';

/** Everybody on the machine can read a command line. */
function refuseSecret(flag: string): never {
  throw new UsageError('SECRET_IN_ARGV', `${flag} would show the secret to everybody on this machine`, {
    hint: 'put it into PVE_PASSWORD or PVE_TOKEN_SECRET, or name where it is kept: --password-env, --password-file, --token-secret-env, --token-secret-file',
  });
}

function refused(name: string): Option {
  return new Option(`--${name} [value]`).hideHelp().argParser(() => refuseSecret(`--${name}`));
}

function listCommand(io: ProgramIo): Command {
  return new Command('list')
    .description('the connections of the file, and how their secrets are kept; contacts nothing')
    .action(async (_: unknown, self: Command) => {
      const { runConnectionsList } = await import('./run-list.ts');
      runConnectionsList(io, self.optsWithGlobals<GlobalFlags>());
    });
}

function testCommand(io: ProgramIo): Command {
  return new Command('test')
    .description('log in to every host of the connections and tell version, nodes, quorum, clock and trust')
    .argument('[names...]', 'connections (default: all of the file)')
    .action(async (names: string[], _: unknown, self: Command) => {
      const { runConnectionsTest } = await import('./run-test.ts');
      await runConnectionsTest(io, self.optsWithGlobals<GlobalFlags>(), names);
    });
}

function addCommand(io: ProgramIo): Command {
  const command = new Command('add')
    .description('write a connection into the file; shows the certificate, trusts it only when told to')
    .argument('<name>', 'name of the connection')
    .option(
      '--host <host>',
      'host or host:port; repeat it for more nodes of the cluster (or: PVE_HOST)',
      collectValues,
    )
    .addOption(
      new Option('--platform <platform>', 'what runs there')
        .choices(allOf<Platform>({ pve: true, vmmanager6: true }))
        .default('pve'),
    )
    .option('--email <address>', 'VMmanager 6: log in as this account (or: VMMANAGER_USERNAME)')
    .option('--user <name@realm>', 'log in with a password as this user (or: PVE_USER)')
    .option('--token-id <id>', 'log in with the API token user@realm!name (or: PVE_TOKEN_ID)')
    .option('--password-env <name>', 'keep the password in this variable, not in the file')
    .option('--password-file <file>', 'keep the password in this file')
    .option('--token-secret-env <name>', "keep the token's secret in this variable, not in the file")
    .option('--token-secret-file <file>', "keep the token's secret in this file")
    .option('--encrypt', 'write the secret of PVE_PASSWORD or PVE_TOKEN_SECRET encrypted')
    .option('--to <age1…>', 'with --encrypt: for this recipient (may be repeated)', collectValues)
    .option('--trust-fingerprint [sha256]', 'trust the certificate that is shown, or only this one')
    .option('--ca-file <file>', 'PEM file of the authority to trust (or: PVE_CA_FILE)')
    .option('--default', 'make it the default connection')
    .option('--replace', 'replace the connection of that name')
    .action(async (name: string, _: unknown, self: Command) => {
      const { runConnectionsAdd } = await import('./run-add.ts');
      await runConnectionsAdd(io, self.optsWithGlobals<AddFlags>(), name);
    });
  for (const name of ['password', 'token-secret', 'token-value', 'token', 'secret'])
    command.addOption(refused(name));
  return command;
}

function trustCommand(io: ProgramIo): Command {
  return new Command('trust')
    .description('trust the certificates that the hosts of a connection show, or only these; sends nothing')
    .argument('<name>', 'name of the connection')
    .argument('[sha256]', 'fingerprints that you have compared, separated by commas')
    .action(async (name: string, sha256: string | undefined, _: unknown, self: Command) => {
      const { runConnectionsTrust } = await import('./run-trust.ts');
      await runConnectionsTrust(io, self.optsWithGlobals<GlobalFlags>(), { name, sha256 });
    });
}

function removeCommand(io: ProgramIo): Command {
  return new Command('remove')
    .description('take a connection out of the file')
    .argument('<name>', 'name of the connection')
    .action(async (name: string, _: unknown, self: Command) => {
      const { runConnectionsRemove } = await import('./run-remove.ts');
      await runConnectionsRemove(io, self.optsWithGlobals<GlobalFlags>(), name);
    });
}

const SECRETS = {
  encrypt: 'encrypt the secrets that stand in the file',
  decrypt: 'write the encrypted secrets as plain text again',
  rekey: 'encrypt the encrypted secrets anew, for another passphrase or other recipients',
} as const;

function secretsCommand(io: ProgramIo, work: keyof typeof SECRETS): Command {
  const command = new Command(work)
    .description(SECRETS[work])
    .argument('[names...]', 'connections (default: all of the file)')
    .action(async (names: string[], _: unknown, self: Command) => {
      const { runConnectionsSecrets } = await import('./run-secrets.ts');
      await runConnectionsSecrets(io, self.optsWithGlobals<SecretsFlags>(), { work, names });
    });
  if (work !== 'decrypt')
    command.addOption(
      envOption('--to <age1…>', 'for this recipient (may be repeated)').argParser(collectValues),
    );
  if (work === 'rekey') {
    command.addOption(
      envOption('--new-passphrase-file <file>', 'the new passphrase (or: DEPLOY_STAND_NEW_PASSPHRASE)'),
    );
  }
  return command;
}

export function connectionsCommand(io: ProgramIo): Command {
  const command = new Command('connections').description(
    'list, test, add, trust and remove clusters; encrypt their secrets',
  );
  const subcommands = [
    listCommand(io),
    testCommand(io),
    addCommand(io),
    trustCommand(io),
    removeCommand(io),
    secretsCommand(io, 'encrypt'),
    secretsCommand(io, 'decrypt'),
    secretsCommand(io, 'rekey'),
  ];
  for (const subcommand of subcommands) command.addCommand(subcommand);
  return command;
}
