/** Requests → answers. Only looks: the one thing that is taken in is the access token. Must not know a socket. */
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { isHostAllowed, type Gate } from './gate.ts';
import type { Answer, Shown } from './types.ts';
import { MOST_VIEWERS, type Viewers } from './viewers.ts';

export interface AppOptions {
  readonly shown: () => Shown;
  readonly viewers: Viewers;
  /** Names of this server beside addresses and localhost. */
  readonly names: ReadonlySet<string>;
  /** Absent: everybody who gets here may look. */
  readonly gate?: Gate | undefined;
  /** Asks for the token. */
  readonly door: (isWrong: boolean) => string;
  /** Of pages; of the door. */
  readonly policies: { readonly page: string; readonly door: string };
}

const COOKIE = 'deploy-stand';
const A_WEEK = 7 * 24 * 3600;
const MOST_OF_A_FORM = 4096;

const ALWAYS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

const NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'";

function isAdmitted(c: Context, gate: Gate | undefined): boolean {
  if (!gate) return true;
  return gate.admits({ authorization: c.req.header('authorization'), cookie: getCookie(c, COOKIE) });
}

/** What a browser asks for because a page of somebody else says so. A link there may lead here. */
function isForeign(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  return (site === 'cross-site' || site === 'same-site') && c.req.header('sec-fetch-mode') !== 'navigate';
}

function html(c: Context, text: string, policy: string, status: 200 | 401 = 200): Response {
  c.header('Content-Security-Policy', `${policy}; frame-ancestors 'none'`);
  return c.html(text, status);
}

function json(c: Context, text: string): Response {
  return c.body(text, 200, { 'Content-Type': 'application/json; charset=utf-8' });
}

/** The order of these is the order in which they are asked. */
function guard(app: Hono, { names, gate, door, policies }: AppOptions): void {
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(ALWAYS)) c.header(name, value);
    c.header('Content-Security-Policy', NOTHING_RUNS);
    if (!isHostAllowed(c.req.header('host'), names)) {
      return c.text(
        'This server does not go by that name. If it should: deploy-stand serve --allow-host NAME\n',
        421,
      );
    }
    if (isForeign(c)) return c.text('Pages of other servers may not ask here.\n', 403);
    const isEntering = gate !== undefined && c.req.path === '/login' && c.req.method === 'POST';
    if (!isEntering && !['GET', 'HEAD'].includes(c.req.method))
      return c.text('This server is for looking only.\n', 405, { Allow: 'GET, HEAD' });
    if (isEntering || c.req.path === '/healthz' || isAdmitted(c, gate)) return next();
    if (c.req.path === '/') return html(c, door(false), policies.door, 401);
    return c.text('An access token is needed: Authorization: Bearer TOKEN\n', 401, {
      'WWW-Authenticate': 'Bearer',
    });
  });
}

/** The token comes in the body of a form: it stands in no address, and so in no history and no log. */
function addDoor(app: Hono, { gate, door, policies }: AppOptions): void {
  if (!gate) return;
  const entry = new Hono();
  // Whoever gets here may send anything, or half of it: no error of this server, and nothing for its log.
  entry.onError((_, c) => c.text('That is no form with a token.\n', 400));
  const limit = bodyLimit({
    maxSize: MOST_OF_A_FORM,
    onError: (c) => c.text('That is more than a token.\n', 413),
  });
  entry.post('/login', limit, async (c) => {
    const { token } = await c.req.parseBody();
    if (typeof token !== 'string' || !gate.isToken(token.trim()))
      return html(c, door(true), policies.door, 401);
    setCookie(c, COOKIE, gate.cookie, {
      ...{ httpOnly: true, sameSite: 'Strict', path: '/', maxAge: A_WEEK },
      secure: c.req.header('x-forwarded-proto') === 'https',
    });
    return c.redirect('./', 303);
  });
  app.route('/', entry);
}

export function createApp(options: AppOptions): Answer {
  const { shown, viewers, policies } = options;
  const app = new Hono();
  guard(app, options);
  addDoor(app, options);
  app.get('/', (c) => html(c, shown().page(), policies.page));
  app.get('/healthz', (c) => json(c, shown().health()));
  app.get('/api/status.json', (c) => json(c, shown().status()));
  app.get('/metrics', async (c) =>
    c.body(await shown().metrics(), 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }),
  );
  app.get('/events', (c) => {
    const type = { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' };
    // Nobody would read what follows the head, and nobody would end it.
    if (c.req.method === 'HEAD') return c.body(null, 200, type);
    if (viewers.count >= MOST_VIEWERS) return c.text('Too many are looking.\n', 503, { 'Retry-After': '60' });
    // What a browser had when it lost the connection, or what the page was made with.
    const since = c.req.header('last-event-id') ?? c.req.query('since');
    return c.body(viewers.join(since), 200, type);
  });
  app.notFound((c) => c.text('There is nothing here.\n', 404));
  return (request) => app.fetch(request);
}
