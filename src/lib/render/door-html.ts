/** The page that asks for the access token. It runs nothing. */
import { escapeHtml } from './escape-html.ts';
import { DEFAULT_LANGUAGE, type Language } from './languages/codes.ts';
import { REPORT_LANGUAGES } from './languages/languages.ts';
import { PAGE_STYLE } from './page-style.ts';

export const DOOR_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

export function renderDoor(isWrong: boolean, language: Language = DEFAULT_LANGUAGE): string {
  const { token, enter, wrongToken } = REPORT_LANGUAGES[language].live;
  return [
    `<!doctype html>\n<html lang="${language}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex">',
    '<title>deploy-stand</title>',
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main><form class="enter" method="post" action="login">',
    '<h1>deploy-stand</h1>',
    ...(isWrong ? [`<p class="bad" role="alert">${escapeHtml(wrongToken)}</p>`] : []),
    `<label for="token">${escapeHtml(token)}</label>`,
    '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>',
    `<button type="submit">${escapeHtml(enter)}</button>`,
    '</form></main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
