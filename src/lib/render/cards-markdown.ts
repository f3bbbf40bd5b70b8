/** Credentials as a Markdown table. Nothing of a name or password is taken for markup. */
import { SCHOOL_LOGIN, type Card } from './cards.ts';
import { escapeMarkdown, markdownRow } from './escape-markdown.ts';

const HEAD = ['User', 'Name', 'Realm', 'Login', 'Password', 'Address', 'Machines'];

function cellsOf({ userid, name, login, realmLabel, password, url, machines }: Card): string[] {
  const list = machines.map((machine) => `${machine.name} (${machine.vmid})`).join(', ');
  return [userid, name, realmLabel, login, password ?? SCHOOL_LOGIN, url, list].map(escapeMarkdown);
}

/** Ends with a line break. */
export function renderMarkdownCards(cards: readonly Card[]): string {
  const lines = [
    markdownRow(HEAD),
    markdownRow(HEAD.map(() => '---')),
    ...cards.map((card) => markdownRow(cellsOf(card))),
  ];
  return `${lines.join('\n')}\n`;
}
