/** Credentials as a Markdown table. Nothing of a name or password is taken for markup. */
import { SCHOOL_LOGIN, type Card } from './cards.ts';
import { escapeControl } from './escape.ts';

const HEAD = ['User', 'Name', 'Realm', 'Login', 'Password', 'Address', 'Machines'];

/** What means something inside a line or a table, HTML included. */
function escapeMarkdown(text: string): string {
  return escapeControl(text).replace(/[\\`*_[\]<>|~&!]/g, '\\$&');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cellsOf({ userid, name, login, realmLabel, password, url, machines }: Card): string[] {
  const list = machines.map((machine) => `${machine.name} (${machine.vmid})`).join(', ');
  return [userid, name, realmLabel, login, password ?? SCHOOL_LOGIN, url, list].map(escapeMarkdown);
}

/** Ends with a line break. */
export function renderMarkdownCards(cards: readonly Card[]): string {
  const lines = [row(HEAD), row(HEAD.map(() => '---')), ...cards.map((card) => row(cellsOf(card)))];
  return `${lines.join('\n')}\n`;
}
