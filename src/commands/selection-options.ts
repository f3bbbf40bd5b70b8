/** The options by which every command on stands is told which. Loaded for `--help` too: nothing heavy here. */
import type { Command } from 'commander';
import { UsageError } from '../lib/errors.ts';
import { pathOf } from './help.ts';
import { collectValues, labNameOption, labOption, nameList, usersOption } from './options.ts';

export interface SelectionFlags {
  readonly config?: string;
  readonly users?: readonly string[];
  readonly labName?: string;
  readonly lab?: string;
  readonly user?: readonly string[];
  readonly only?: readonly string[];
  readonly machine?: readonly string[];
  readonly node?: readonly string[];
}

/** Why an option of the selection is none of a command that treats stands as a whole, and what does it in its place. */
interface Lack {
  readonly why: string;
  readonly instead: string;
}

type Lacks = Readonly<Partial<Record<'--machine' | '--node' | '--lab' | '--user', Lack>>>;

const WHOSE_NODE =
  '`deploy-stand status --node NAME` shows whose stands are there; select them with --user ID';
const ACCESS: Lacks = {
  '--machine': {
    why: 'rights are given on the pool of a stand, to all of its machines at once',
    instead:
      '`deploy-stand power stop --machine NAME` and `power suspend --machine NAME` stop one machine of each stand',
  },
  '--node': { why: 'rights are given on the pool of a stand, wherever it runs', instead: WHOSE_NODE },
};

/** By the last word of the command. What `withSelection` gives to all others, these lack. */
const WHOLE: Readonly<Record<string, Lacks>> = {
  cleanup: {
    '--machine': {
      why: 'it removes stands as a whole, with their networks, rights and claims',
      instead:
        'take the machine out of lab.yml, and `deploy-stand deploy -c lab.yml -u users.yml --prune` removes it; `deploy-stand reset --reclone -c lab.yml -u users.yml --machine NAME` makes it anew',
    },
    '--node': {
      why: 'it removes stands as a whole, with what they have on other nodes',
      instead: `\`deploy-stand balance evacuate NAME\` empties a node; ${WHOSE_NODE}`,
    },
  },
  freeze: ACCESS,
  thaw: ACCESS,
  extend: {
    '--machine': {
      why: 'stands and accounts expire, machines do not',
      instead: 'select stands with -c lab.yml -u users.yml, --lab NAME or --user ID',
    },
    '--node': { why: 'stands and accounts expire, wherever they run', instead: WHOSE_NODE },
  },
  deploy: {
    '--machine': {
      why: 'it completes stands as a whole, and leaves alone what is there',
      instead: '`deploy-stand reset --reclone -c lab.yml -u users.yml --machine NAME` makes one machine anew',
    },
    '--lab': { why: 'it makes what the file of a lab says', instead: 'name the file with -c lab.yml' },
    '--user': {
      why: 'it makes stands for those of the users file',
      instead: 'pick users of the file with --only anna,boris',
    },
  },
};

export function withSelection(command: Command): Command {
  command
    .addOption(labOption('with -u: the stands of these users in this lab'))
    .addOption(usersOption())
    .addOption(labNameOption())
    .option('--lab <name>', 'stands of this lab, without its file')
    .option('--user <id>', 'stands of this user (may be repeated)', collectValues)
    .option('--only <user,…>', 'only these users of the file', nameList);
  if (Object.hasOwn(WHOLE, command.name())) return command;
  return command
    .option('--machine <name>', 'only this machine of each stand (may be repeated)', collectValues)
    .option('--node <name>', 'only machines on this node (may be repeated)', collectValues);
}

/** Before commander says only that it does not know the option. `written`: perhaps with its value, `--machine=srv`. */
export function refuseLacking(command: Command, written: string): void {
  const [flag = ''] = written.split('=', 1);
  if (flag === '--only' && command.parent?.name() === 'users')
    command.error("error: unknown option '--only'\n(--user anna@pve names one user; it may be repeated)", {
      code: 'commander.unknownOption',
    });
  const lack = Object.entries(WHOLE[command.name()] ?? {}).find(([option]) => option === flag)?.[1];
  if (!lack) return;
  throw new UsageError('WHOLE_STANDS', `${pathOf(command)} has no ${flag}: ${lack.why}`, {
    hint: lack.instead,
  });
}
