/** The rules for `notify:` that a JSON Schema cannot say. They report and never change anything. */
import type { Issues } from '../input/issues.ts';
import { at, mapping, text, type Written } from '../input/written.ts';
import { secretPaths, SINK_NAMES, tellsAnybody } from './sinks.ts';

function secretsAreNamed(raw: Written, issues: Issues): void {
  const notify = mapping(raw['notify']);
  for (const path of secretPaths(notify)) {
    const value = text(at(notify, path));
    if (value?.startsWith('env:') !== true || /^env:[A-Za-z_]\w*$/.test(value)) continue;
    issues.add(['notify', ...path], 'env: is not followed by the name of an environment variable', {
      hint: 'for example: env:TELEGRAM_BOT_TOKEN',
    });
  }
}

function webhookIsAnUrl(raw: Written, issues: Issues): void {
  const url = text(mapping(mapping(raw['notify'])['webhook'])['url']);
  if (url === undefined || url === '' || url.startsWith('env:') || /^https?:\/\/[^\s/]+/.test(url)) return;
  issues.add(['notify', 'webhook', 'url'], 'is no URL', {
    hint: 'it starts with https:// or http://, or names a variable: env:NAME',
  });
}

function eventsHaveAListener(raw: Written, issues: Issues): void {
  const notify = mapping(raw['notify']);
  if (notify['events'] === undefined || tellsAnybody(notify)) return;
  issues.warn(['notify'], `nobody is told: there is neither ${SINK_NAMES}`);
}

export const notifyRules: readonly ((raw: Written, issues: Issues) => void)[] = [
  secretsAreNamed,
  webhookIsAnUrl,
  eventsHaveAListener,
];
