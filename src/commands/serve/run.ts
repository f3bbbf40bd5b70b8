/** What `serve` does with its flags: look again and again, and show it to those who come; nothing is changed. */
import { readSecretLine } from '../../lib/config/connections/age-keys.ts';
import { ConfigError, UsageError } from '../../lib/errors.ts';
import { exitCodeOfFindings, stopOfService } from '../../lib/outcome/exit-code.ts';
import { isLoopback } from '../../lib/proxmox/hosts.ts';
import { viewReport } from '../../lib/plan/views/report.ts';
import type { Topology } from '../../lib/plan/views/topology-types.ts';
import { viewTopology } from '../../lib/plan/views/topology.ts';
import { DOOR_POLICY, renderDoor } from '../../lib/render/door-html.ts';
import { escapeJson } from '../../lib/render/escape.ts';
import type { Language } from '../../lib/render/languages/codes.ts';
import { utcOf } from '../../lib/render/moment.ts';
import { LIVE_POLICY } from '../../lib/render/page.ts';
import { renderLiveReport } from '../../lib/render/report-html.ts';
import type { StatusFiles } from '../../lib/render/status-problems.ts';
import { toStatusDocument } from '../../lib/render/status-text.ts';
import { countOf } from '../../lib/render/step-text.ts';
import { createApp } from '../../lib/serve/app.ts';
import { allowedNames, createGate } from '../../lib/serve/gate.ts';
import type { Answer, Listening, Place, Shown } from '../../lib/serve/types.ts';
import { Viewers } from '../../lib/serve/viewers.ts';
import { followStands, lookSeldomAtTemplates, type Look } from '../../lib/workflow/follow.ts';
import { formatStatusMetrics } from '../../lib/workflow/status-metrics.ts';
import type { SeenStatus } from '../../lib/workflow/status.ts';
import { runChanging, type Changing } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { readSelection, statusFiles } from '../selection.ts';
import type { SelectionFlags } from '../selection-options.ts';

export interface ServeFlags extends GlobalFlags, SelectionFlags {
  readonly listen: Place;
  readonly interval: number;
  readonly tokenFile?: string;
  readonly allowHost?: readonly string[];
  readonly language: Language;
  readonly since: number;
}

const SHORTEST_TOKEN = 20;
/** Beyond it the header and the form would be refused. */
const LONGEST_TOKEN = 512;

function readToken(file: string, warn: (text: string) => void): string {
  const token = readSecretLine(file, 'access token', warn).trim();
  const fits = token.length >= SHORTEST_TOKEN && token.length <= LONGEST_TOKEN;
  if (fits && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigError('TOKEN_WEAK', `the access token in ${file} can be guessed, or be no header`, {
    hint: `it takes ${SHORTEST_TOKEN} to ${LONGEST_TOKEN} letters and digits: openssl rand -hex 24 > ${file}`,
  });
}

function tokenOf({ tokenFile, listen }: ServeFlags, warn: (text: string) => void): string | undefined {
  if (tokenFile !== undefined) return readToken(tokenFile, warn);
  if (isLoopback(listen.host)) return undefined;
  throw new UsageError(
    'LISTEN_NEEDS_TOKEN',
    `whoever reaches ${listen.host} could look at the class, and no access token was named`,
    {
      hint: 'openssl rand -hex 24 > token.txt, and add --token-file token.txt; or listen on 127.0.0.1 only',
    },
  );
}

/** As browsers send them. Whoever copies an address gives more, and nobody would get in by that. */
function assertHosts({ allowHost = [] }: ServeFlags): void {
  const odd = allowHost.find((name) => !/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?$/i.test(name));
  if (odd === undefined) return;
  throw new UsageError('ALLOW_HOST', `--allow-host ${JSON.stringify(odd)} is not the name of a host`, {
    hint: 'without scheme and port, for example: --allow-host stands.example.edu',
  });
}

/** Made once, by whoever asks first. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

interface Showing {
  readonly flags: ServeFlags;
  readonly files: StatusFiles | undefined;
  readonly topology: Topology | null;
  /** Of this run. */
  readonly name: string;
}

function show({ seen, away }: Look, number: number, { flags, files, topology, name }: Showing): Shown {
  const { report } = seen;
  const version = `${name}-${number}`;
  const { interval: intervalSeconds, language } = flags;
  const { parts, page } = renderLiveReport(
    viewReport(report, topology, seen.templates),
    {
      intervalSeconds,
      ...(away ? { away: { since: utcOf(report.now), error: away } } : {}),
    },
    { files, language },
  );
  const cluster = { reachable: away === undefined, seen: report.now };
  return {
    version,
    parts,
    page: once(() => page(version)),
    status: once(() => {
      const document = {
        cluster: { ...cluster, message: away?.message ?? null },
        intervalSeconds,
        status: toStatusDocument(report, files),
      };
      return escapeJson(JSON.stringify(document));
    }),
    metrics: once(() => formatStatusMetrics(report, flags.connection ?? 'default')),
    health: once(() => JSON.stringify({ status: 'ok', cluster })),
  };
}

/** What the system says of a place that cannot be had. */
const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this account',
  EADDRNOTAVAIL: 'is no address of this machine',
  ENOTFOUND: 'is no name that is known here',
};

async function open(io: ProgramIo, answer: Answer, place: Place): Promise<Listening> {
  const listen = io.listen ?? (await import('../../lib/serve/listen.ts')).listenHere;
  try {
    return await listen(answer, place);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (WHY[code] === undefined) throw error;
    throw new UsageError('LISTEN', `${urlOf(place)} ${WHY[code]}`, {
      hint: 'choose another place with --listen',
      cause: error,
    });
  }
}

function urlOf({ host, port }: Place): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

const MOST_NAMED = 5;

async function warnBeyond(run: Changing, { beyond }: SeenStatus): Promise<void> {
  if (beyond.length === 0) return;
  const { caller } = await run.connect();
  const more = beyond.length - MOST_NAMED;
  const named = [...beyond.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  run.output.warn(
    `${caller} can do more than look (${named}); for serve an account with the role PVEAuditor is enough: docs/serve.md`,
  );
}

/** Tells those who keep the log. */
function tellOf(look: Look, former: Look, run: Changing): void {
  if ((look.away === undefined) === (former.away === undefined)) return;
  if (look.away) run.output.warn(`nothing new since ${utcOf(look.seen.report.now)}: ${look.away.message}`);
  else run.output.warn('the cluster is seen again');
}

async function serve(io: ProgramIo, flags: ServeFlags, run: Changing): Promise<void> {
  assertHosts(flags);
  const token = tokenOf(flags, (text) => run.output.warn(text));
  const { stands = {}, lab } = readSelection(flags, (text) => run.output.warn(text)) ?? {};
  const reading = { ips: false, snapshots: false, ownership: false, drift: false };
  const want = { stands, ...(lab ? { lab } : {}), sinceSeconds: flags.since, ...reading };
  const context = await run.runContext();
  const look = lookSeldomAtTemplates(want, context);
  const first = await look();
  await run.warnLacking(first.lacking);
  await warnBeyond(run, first);

  const files = statusFiles(flags);
  const topology = lab ? viewTopology(lab) : null;
  const showing = { flags, files, topology, name: String(Math.floor(io.clock.wallTime())) };
  let [last, number]: [Look, number] = [{ seen: first }, 0];
  let shown = show(last, number, showing);
  const viewers = new Viewers(shown);
  const app = createApp({
    ...{ shown: () => shown, viewers, names: allowedNames([flags.listen.host, ...(flags.allowHost ?? [])]) },
    gate: token === undefined ? undefined : createGate(token),
    door: (isWrong) => renderDoor(isWrong, flags.language),
    policies: { page: LIVE_POLICY, door: DOOR_POLICY },
  });
  const listening = await open(io, app, flags.listen);
  run.finish();
  const url = urlOf({ ...flags.listen, port: listening.port });
  const count = first.report.labs.reduce((sum, one) => sum + one.stands.length, 0);
  run.output.result(
    { url, interval: flags.interval },
    () => `${countOf(count, 'stand', 'stands')} at ${url}; stop with Ctrl-C`,
  );
  const end = AbortSignal.any([run.soft, run.hangup]);
  try {
    await followStands(first, {
      look: () => look(end),
      ...{ clock: io.clock, intervalMs: flags.interval * 1000, end },
      onLook: (next) => {
        tellOf(next, last, run);
        last = next;
        number += 1;
        shown = show(last, number, showing);
        viewers.show(shown);
      },
      onBeat: () => viewers.beat(),
    });
  } finally {
    viewers.close();
    await listening.close();
  }
}

export async function runServe(io: ProgramIo, flags: ServeFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    await serve(io, flags, run);
    io.setExitCode(exitCodeOfFindings({ stoppedBy: stopOfService(run.stoppedBy(), run.hard.aborted) }));
  });
}
