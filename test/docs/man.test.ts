import { expect, test } from 'vitest';
import { manPage } from './man-page.ts';

test('man/deploy-stand.1 has commands and options as the help has them (`npm run docs` writes it anew)', async () => {
  const file = new URL('../../man/deploy-stand.1', import.meta.url);
  const page = manPage();
  expect(page).toContain('.SS \\fBdeploy\\-stand users sync [options]\\fR');
  expect(page.split('\n').filter((line) => /^[.'](?!(TH|SH|SS|TP|PP|nf|fi|\\")\b|\\")/.test(line))).toEqual(
    [],
  );
  await expect(page).toMatchFileSnapshot(file.pathname);
});
