/** The tables of docs/permissions.md, made from the privilege table of the code. */
import { COMMAND_STEPS, LOCK_RULES, readingRules } from '../../src/lib/privileges/command-rules.ts';
import { STEP_RULES } from '../../src/lib/privileges/step-rules.ts';
import type { Command, RuleText } from '../../src/lib/privileges/types.ts';

const COMMANDS = Object.keys(COMMAND_STEPS) as Command[];

const code = (text: string): string => `\`${text}\``;

function privilegesOf({ anyOf, each, instead }: RuleText): string {
  const elsewhere = instead && `${instead.anyOf.join(' or ')} on ${code(instead.path)} with propagation`;
  return [...(each === undefined ? [] : [each]), ...anyOf, ...(elsewhere ? [elsewhere] : [])].join(' or ');
}

function appliesTo({ since, when, advice, reaches }: RuleText): string {
  return [
    ...(since === undefined ? [] : [`PVE ${since} and newer`]),
    ...(when === undefined ? [] : [when]),
    ...(reaches === true ? ['with propagation'] : []),
    ...(advice === true ? ['advised'] : []),
  ].join(', ');
}

function rowsOf(label: string, rules: readonly RuleText[]): string[] {
  return rules.map((rule, at) => {
    const cells = [at === 0 ? label : '', code(rule.path), privilegesOf(rule), appliesTo(rule), rule.why];
    return `| ${cells.join(' | ')} |`;
  });
}

function table(head: string, rows: readonly string[]): string {
  const titles = [head, 'on', 'privilege', 'when', 'why'];
  return [`| ${titles.join(' | ')} |`, `|${titles.map(() => '---').join('|')}|`, ...rows].join('\n');
}

export function permissionsTables(): string {
  const steps: [string, readonly RuleText[]][] = [
    ...Object.entries(STEP_RULES).map(([kind, rules]): [string, readonly RuleText[]] => [kind, rules]),
  ];
  return [
    'What a command has to see or hold before it plans:',
    table('command', [
      ...rowsOf('all that change', LOCK_RULES),
      ...COMMANDS.flatMap((command) => rowsOf(code(command), readingRules(command))),
    ]),
    'Which steps a command may plan:',
    [
      '| command | steps |',
      '|---|---|',
      ...COMMANDS.map(
        (command) => `| ${code(command)} | ${COMMAND_STEPS[command].steps.map(code).join(' ')} |`,
      ),
    ].join('\n'),
    'What each step takes:',
    table(
      'step',
      steps.flatMap(([kind, rules]) => rowsOf(code(kind), rules)),
    ),
  ].join('\n\n');
}
