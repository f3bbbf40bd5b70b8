/** Which planned failures of a scenario could never strike: of paths and methods that no request has. */
import { addTo } from '../group.ts';
import { nearest } from '../nearest.ts';
import { sortedUnique } from '../order.ts';
import { beginsTask, ENDPOINTS, LOGIN, MIGRATE, templateOf } from './endpoints.ts';
import type { Scenario, ScenarioFault } from './scenario-types.ts';

interface Nowhere {
  readonly key: 'path' | 'method' | 'action';
  readonly message: string;
  readonly hint: string;
}

const METHODS = new Map<string, string[]>();
for (const endpoint of [...ENDPOINTS, `POST ${LOGIN}`]) {
  const [method = '', path = ''] = endpoint.split(' ');
  addTo(METHODS, path, method);
}

/** Undefined: there are requests that it can strike. */
export function nowhere(
  { path, method, action }: ScenarioFault,
  { guests = [] }: Scenario,
): Nowhere | undefined {
  const template = templateOf(path);
  const methods = METHODS.get(template);
  if (!methods) {
    const paths = sortedUnique([...METHODS.keys()]);
    const near = nearest(template, paths);
    const hint = near === undefined ? `there are: ${paths.join(', ')}` : `did you mean ${near}?`;
    return { key: 'path', message: 'VMmanager 6 has no such path here: no request would meet it', hint };
  }
  const guest = /^\/vm\/v3\/host\/(\d+)\//.exec(path)?.[1];
  if (guest !== undefined && !guests.some(({ id }) => id === Number(guest)))
    return { key: 'path', message: `there is no guest ${guest}`, hint: `${template} strikes every guest` };
  if (method !== undefined && !methods.includes(method))
    return { key: 'method', message: `${path} has no ${method}`, hint: `it has ${methods.join(', ')}` };
  if (action === 'task-fail' && !beginsTask(method, template))
    return { key: 'action', message: 'no task begins there', hint: `one begins with POST ${MIGRATE}` };
  return undefined;
}
