/** The flags of `serve`. */
import { Command, InvalidArgumentError } from 'commander';
import type { Place } from '../../lib/serve/types.ts';
import type { ProgramIo } from '../io.ts';
import { envOption, languageOption, nameList, pauseSeconds, sinceOption } from '../options.ts';
import { withSelection } from '../selection-options.ts';
import type { ServeFlags } from './run.ts';

const OFTEN = 10;
/** A cluster of a thousand guests needs about as long to be looked at. */
const SHORTEST = 2;
const HERE: Place = { host: '127.0.0.1', port: 8080 };

const WRITTEN = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9][a-z0-9.-]*)):(\d{1,5})$/i;

function placeOf(text: string): Place {
  const [, ipv6, name, port = ''] = WRITTEN.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || Number(port) > 65_535)
    throw new InvalidArgumentError(`"${text}" is not an address with a port such as 127.0.0.1:8080.`);
  return { host, port: Number(port) };
}

export function serveCommand(io: ProgramIo): Command {
  const command = new Command('serve').description(
    'the report as a page that follows the class, for looking only; with /metrics and /api/status.json',
  );
  return withSelection(command)
    .addOption(
      envOption('--listen <address:port>', 'where; elsewhere than on this machine with --token-file only')
        .argParser(placeOf)
        .default(HERE, '127.0.0.1:8080'),
    )
    .addOption(
      envOption('--interval <time>', 'how often the cluster is looked at', 'SERVE_INTERVAL')
        .argParser(pauseSeconds(SHORTEST))
        .default(OFTEN, '10s'),
    )
    .addOption(envOption('--token-file <file>', 'the access token that whoever looks has to give'))
    .addOption(
      envOption('--allow-host <name,…>', 'names that a browser may ask it by, beside addresses').argParser(
        nameList,
      ),
    )
    .addOption(languageOption('of the page'))
    .addOption(sinceOption())
    .action(async (_: unknown, self: Command) => {
      const { runServe } = await import('./run.ts');
      await runServe(io, self.optsWithGlobals<ServeFlags>());
    });
}
