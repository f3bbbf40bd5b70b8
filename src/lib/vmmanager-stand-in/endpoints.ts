/** What can be asked of the stand-in, by method and path; `{id}` is a number. Data, and how a path is read. */

export const LOGIN = '/auth/v4/public/token';

/** All but the login. */
export const ENDPOINTS = [
  'GET /vm/v3/cluster',
  'GET /vm/v3/node',
  'GET /vm/v3/host',
  'GET /vm/v3/host/{id}/migrate',
  'GET /vm/v3/host/{id}/history',
  'GET /vm/v3/task',
  'GET /vm/v3/task/{id}',
  'POST /vm/v3/host/{id}/migrate',
] as const;

export type EndpointName = (typeof ENDPOINTS)[number];

export function templateOf(path: string): string {
  return path.replace(/\/\d+(?=\/|$)/, '/{id}');
}

/** The only request that begins a task. */
export const MIGRATE = '/vm/v3/host/{id}/migrate';

/** Where no method is said: may it? */
export const beginsTask = (method: string | undefined, template: string): boolean =>
  template === MIGRATE && method !== 'GET';
