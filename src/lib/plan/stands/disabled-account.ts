/**
 * Who enables a disabled account again, and how. One that `users sync --disable` took is given back by `users sync`, which
 * takes its mark away, too: one that was enabled by hand keeps it until the next sync, and disabled by hand before that it
 * seems to be ours.
 */
import { isDisabledByUs } from '../../marks/user.ts';
import { enableUserCommand } from '../../pve-values/admin-commands.ts';
import { syncCommand } from '../document/sync-command.ts';
import { nameSome } from '../document/text.ts';

interface Account {
  readonly userid: string;
  readonly enabled: boolean;
  readonly comment: string;
}

/** Who has disabled it: a command of ours, or unknown. */
export function disabler({ comment }: Account): string | undefined {
  return isDisabledByUs(comment) ? 'users sync --disable' : undefined;
}

/** Whoever is not in the files of a `users sync --disable` any more has a stand, and cannot log in. */
export function disabledWarnings(accounts: readonly Account[]): string[] {
  const disabled = accounts.filter(({ enabled }) => !enabled);
  const say = (who: readonly Account[], by: string, way: string): string[] =>
    who.length === 0
      ? []
      : [
          `disabled${by}, so that nobody can log in with it: the account of ${nameSome(who.map(({ userid }) => userid))}; ${way}`,
        ];
  const ours = disabled.filter((account) => disabler(account) !== undefined);
  const others = disabled.filter((account) => disabler(account) === undefined);
  const [first] = others;
  const more = others.length > 1 ? ', and so on' : '';
  return [
    ...say(ours, ' by `users sync --disable`', `\`${syncCommand()}\` enables it again`),
    ...say(
      others,
      '',
      `whoever did so enables it again: \`${enableUserCommand(first?.userid ?? '')}\`${more}`,
    ),
  ];
}
