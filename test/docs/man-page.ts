/** The manual page, made of the same commands, options and examples as their help. */
import type { Command, Option } from 'commander';
import { EXAMPLES } from '../../src/commands/examples.ts';
import type { ProgramIo } from '../../src/commands/io.ts';
import { createProgram } from '../../src/program.ts';
import { pendingOptions } from './exit-codes.ts';

/** A line that is text, whatever it begins with. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replace(
      /[^\x20-\x7e]/gu,
      (letter) => `\\[u${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0') ?? ''}]`,
    );
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;

function optionLines(option: Option): string[] {
  const { flags, description, argChoices, defaultValue, defaultValueDescription, envVar } = option;
  const standard =
    defaultValueDescription ??
    (['string', 'number'].includes(typeof defaultValue) ? String(defaultValue) : undefined);
  const more = [
    ...(argChoices ? [`one of: ${argChoices.join(', ')}`] : []),
    ...(standard === undefined ? [] : [`default: ${standard}`]),
    ...(envVar === undefined ? [] : [`or ${envVar}`]),
  ];
  return ['.TP', bold(flags), roff(`${description}${more.length === 0 ? '' : ` (${more.join('; ')})`}`)];
}

function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function usageOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? name : `[${name}]`;
  });
  return ['deploy-stand', pathOf(command), ...words, '[options]'].join(' ');
}

function commandLines(command: Command): string[] {
  if (command.commands.length > 0 && command.options.length === 0)
    return command.commands.flatMap((sub) => commandLines(sub));
  const path = pathOf(command);
  const examples = EXAMPLES[path] ?? [];
  return [
    `.SS ${bold(usageOf(command))}`,
    roff(command.description()),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(optionLines),
    ...(examples.length === 0
      ? []
      : ['.PP', 'Examples:', '.nf', ...examples.map((example) => roff(`  deploy-stand ${example}`)), '.fi']),
    ...command.commands.flatMap((sub) => commandLines(sub)),
  ];
}

const exits = (program: Command): readonly (readonly [string, string])[] => [
  ['0', 'done, or nothing to do'],
  ['1', 'a defect of deploy-stand'],
  ['2', 'the command line or a file is wrong; nothing was contacted'],
  ['3', 'the plan is refused; nothing was changed'],
  ['4', 'PVE could not be reached, or did not allow it; nothing was changed'],
  ['5', 'partly applied'],
  ['6', `there is what the option asks for: ${pendingOptions(program).join(', ')}`],
  ['130, 143', 'ended by SIGINT, SIGTERM'],
];

/** Only flags are asked for. */
const NOBODY = { stdout: {}, env: {} } as unknown as ProgramIo;

export function manPage(): string {
  const program = createProgram(NOBODY);
  const hidden = new Set(['help']);
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => !hidden.has(command.name()));
  return [
    '.\\" made by `npm run docs`',
    '.TH DEPLOY\\-STAND 1',
    '.SH NAME',
    `deploy\\-stand \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    `${bold('deploy-stand')} ${roff('command [options]')}`,
    '.SH DESCRIPTION',
    roff(
      'Makes a copy of a lab for every student of a class on a Proxmox VE cluster, from two YAML files; keeps',
    ),
    roff(
      'the class, and takes it away without a trace. Every command that changes something shows its plan with',
    ),
    roff('--dry-run, and --simulate tries it on a simulated cluster.'),
    '.SH COMMANDS',
    ...shown.flatMap((command) => commandLines(command)),
    '.SH OPTIONS OF EVERY COMMAND',
    ...program.options.flatMap(optionLines),
    '.SH EXIT STATUS',
    ...exits(program).flatMap(([code, meaning]) => ['.TP', bold(code), roff(meaning)]),
    '.SH FILES',
    ...[
      '.TP',
      bold('connections.yml'),
      roff('clusters, and how to log in; in the folder, then in that of the user'),
    ],
    ...['.TP', bold('credentials-LAB.csv'), roff('the passwords that were made for students')],
    '',
  ].join('\n');
}
