/**
 * The commands in the `console` blocks of these pages are run in their order, on the class of docs/class.md, and print what
 * stands below them. `npm run docs` writes anew what does not. What differs from run to run (moments, spans, shares of CPU and
 * memory) is not compared.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCli, scenario, startCluster, workFolder, writeFiles, type Cluster } from '../e2e/harness.ts';
import { admin, person } from '../e2e/people.ts';

const pathOf = (name: string): URL => new URL(`../../docs/${name}`, import.meta.url);
const textOf = (name: string): string => readFileSync(pathOf(name), 'utf8');

function fileOf(name: string): string {
  return new RegExp(`\`\`\`yaml\\n# ${name}\\n([^]*?)\`\`\``).exec(textOf('class.md'))?.[1] ?? '';
}

/** By the heading below which it happens. */
const MEANWHILE: Readonly<Record<string, (cluster: Cluster) => Promise<unknown>>> = {
  '## A student breaks things': async (cluster) => {
    const anna = await person(cluster, 'anna@pve');
    const at = (vmid: number) => `/nodes/pve1/qemu/${vmid}`;
    await anna.task('POST', `${at(10000)}/snapshot`, { snapname: 'mine' });
    await anna.put(`${at(10000)}/config`, { memory: 4096 });
    await anna.task('POST', `${at(10002)}/status/stop`);
    await anna.task('DELETE', at(10002));
    await cluster.time.sleep(60_000);
  },
};

/** Before the page begins. */
const BEFORE: Readonly<Record<string, (cluster: Cluster) => Promise<unknown>>> = {
  'status.md': async (cluster) => {
    const anna = await person(cluster, 'anna@pve');
    const root = admin(cluster);
    // Their template has an agent, too, so that this is no drift.
    for (const at of ['pve1/qemu/101', 'pve1/qemu/10001', 'pve2/qemu/10004'])
      await root.ok('PUT', `/nodes/${at}/config`, { agent: '1' });
    for (const at of ['pve1/qemu/10001', 'pve2/qemu/10004'])
      for (const now of ['stop', 'start']) await root.task('POST', `/nodes/${at}/status/${now}`);
    await anna.task('DELETE', '/nodes/pve1/qemu/10002');
    await root.ok('PUT', '/nodes/pve2/qemu/10004/config', { memory: 8192, boot: 'order=net0' });
    await root.task('POST', '/nodes/pve2/qemu/10003/status/suspend');
    await root.ok('PUT', '/access/users/boris@pve', { enable: 0 });
    await cluster.time.sleep(60_000);
  },
};

const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'T'],
  [/\b(?:\d+d )?(?:\d+h )?\d+[hms]\b/g, 'SPAN'],
  [/\b\d+%/g, 'SHARE'],
  // Columns are as wide as what stands in them, and lines are wrapped by it.
  [/\s+/g, ' '],
];

const masked = (text: string): string =>
  VOLATILE.reduce((so, [pattern, word]) => so.replace(pattern, word), text).trim();

/** When somebody looked decides what is seen in between: of what was watched the beginning and the end of each student count. */
function endsOf(text: string): string {
  const changes = [...text.matchAll(/Z (\S+@pve), .*?: (.*) -> (.*)/g)];
  const users = [...new Set(changes.map(([, user]) => user))].sort();
  return users
    .map((who) => {
      const own = changes.filter(([, user]) => user === who);
      return [who, own[0]?.[2], own.at(-1)?.[3]].join(' ');
    })
    .join('\n');
}

/** `…` for the rows of students between the second and the last. */
function folded(text: string): string {
  const lines = text.trimEnd().split('\n');
  const starts = lines.flatMap((line, at) => (/^\s{0,4}\w+@pve {2}/.test(line) ? [at] : []));
  const [, , third] = starts;
  const last = starts.at(-1);
  if (third === undefined || last === undefined || third === last) return lines.join('\n');
  return [...lines.slice(0, third), '…', ...lines.slice(last)].join('\n');
}

/** What changed, of the two students who are shown of every list. */
function watched(text: string): string {
  const changes = text.split('\n').filter((line) => /^\d{4}-\S+Z (?:anna|boris)@pve,/.test(line));
  return ['…', ...changes].join('\n');
}

/** Everything below a command is what it printed. */
const COMMAND = /^\$ deploy-stand (.*)\n([^]*?)(?=^\$ |^```$)/gm;
const WATCH = /^\$ deploy-stand (.* --watch .*)\n/m;

interface Teller {
  readonly run: (line: string) => Promise<string>;
  /** Ends what watches, and tells what it saw. */
  readonly watch: (line: string) => () => Promise<string>;
}

function tellerOf(cluster: Cluster, files: Readonly<Record<string, string>>): Teller {
  const folder = workFolder();
  writeFiles(folder, files);
  const start = async (line: string, options: Parameters<typeof runCli>[2] = {}) => {
    const words = line.split(' ').map((word) => (word in files ? `${folder}/${word}` : word));
    const own = /^(deploy|cleanup)/.test(line) ? ['--credentials', `${folder}/c.csv`] : [];
    const { code, stdout, stderr } = await runCli([...words, ...own, '--progress', 'none'], cluster, options);
    return { code, text: `${stdout}${stderr}`.replaceAll(`${folder}/`, '') };
  };
  return {
    run: async (line) => {
      const { code, text } = await start(line);
      return `${folded(text)}\n${code === 0 ? '' : `[exit ${code}]\n`}`;
    },
    watch: (line) => {
      let send: (signal: 'SIGINT') => void = () => undefined;
      const watching = start(line, { onSignaller: (signal) => (send = signal) });
      return async () => {
        send('SIGINT');
        return `${watched((await watching).text)}\n`;
      };
    },
  };
}

/** The page with what its commands print now; a block that watches stands below the one that it is beside. */
async function retold(page: string, cluster: Cluster, { run, watch }: Teller): Promise<string> {
  const parts = page.split(/(?<=\n)(?=## |```console\n)|(?<=\n```\n)/);
  const blocks = parts.filter((part) => part.startsWith('```console\n'));
  let seen: (() => Promise<string>) | undefined;
  let fresh = '';
  for (const part of parts) {
    const happens = MEANWHILE[/^##? .*/.exec(part)?.[0] ?? ''];
    if (happens) await happens(cluster);
    if (!blocks.includes(part)) {
      fresh += part;
      continue;
    }
    const beside = WATCH.exec(blocks[blocks.indexOf(part) + 1] ?? '')?.[1];
    if (beside !== undefined) {
      seen = watch(beside);
      await cluster.time.sleep(10_000);
    }
    let at = 0;
    for (const { 0: all, 1: line = '', 2: shown = '', index } of part.matchAll(COMMAND)) {
      const isWatched = WATCH.test(part);
      const printed = (isWatched ? await seen?.() : await run(line)) ?? '';
      await cluster.time.sleep(60_000);
      const mask = isWatched ? endsOf : masked;
      const text = mask(printed) === mask(shown) ? shown : printed;
      fresh += `${part.slice(at, index)}$ deploy-stand ${line}\n${text}`;
      at = index + all.length;
    }
    fresh += part.slice(at);
  }
  return fresh;
}

/** How many of the class they need. */
const PAGES = {
  'class.md': 'anna,boris,carla,dora,emil,fritz,gina,hans,ida,jan',
  'power.md': 'anna,boris',
  'snapshots.md': 'anna,boris',
  'status.md': 'anna,boris',
  'access.md': 'anna,boris',
};

test.each(Object.entries(PAGES))(
  'docs/%s: the commands of a class print what the page says',
  async (page, only) => {
    const cluster = await startCluster({ scenario: scenario({ version: '9.2' }) });
    const teller = tellerOf(cluster, { 'lab.yml': fileOf('lab.yml'), 'users.yml': fileOf('users.yml') });
    expect(await teller.run(`deploy -c lab.yml -u users.yml --only ${only}`)).toContain(' complete; steps');
    await cluster.time.sleep(90_000);
    await BEFORE[page]?.(cluster);
    await expect(await retold(textOf(page), cluster, teller)).toMatchFileSnapshot(pathOf(page).pathname);
  },
);

test('what happens meanwhile happens below a heading that there is', () => {
  for (const heading of Object.keys(MEANWHILE)) expect(textOf('class.md')).toContain(`\n${heading}\n`);
});
