/** Which planned failures of a scenario could never strike: of paths and methods that no request has. */
import { nearest } from '../nearest.ts';
import { nodesOf } from './build/scenario-nodes.ts';
import { contractOf, officialEndpointsOf } from './contract/contract.ts';
import { isOfTask } from './faults.ts';
import { Router } from './http/router.ts';
import type { Scenario, ScenarioFault } from './scenario-types.ts';
import { usualVersion } from './version.ts';

interface Nowhere {
  readonly key: 'path' | 'method' | 'action';
  readonly message: string;
  readonly hint: string;
}

/** `/nodes/{node}/qemu` and what else somebody may call the variable. */
const bare = (path: string): string => path.replaceAll(/\{[^}]*\}/g, '{}');

/** Undefined: there are requests that it can strike. */
export function nowhere({ path, method, action }: ScenarioFault, scenario: Scenario): Nowhere | undefined {
  const version = scenario.version ?? usualVersion;
  // A template is looked up among what is modelled; a concrete path also reaches what is not.
  const modelled = [...contractOf(version).endpoints.values()];
  const official = officialEndpointsOf(version);
  const router = new Router(official);
  const isTemplate = path.includes('{');
  const methods = ['GET', 'POST', 'PUT', 'DELETE'].filter((one) =>
    isTemplate
      ? modelled.some((spec) => spec.path === path && spec.method === one)
      : router.find(one, path) !== undefined,
  );
  const node = isTemplate ? undefined : router.find(methods[0] ?? '', path)?.variables['node'];
  const nodes = nodesOf(scenario).map(({ name }) => name);
  if (node !== undefined && !nodes.includes(node))
    return { key: 'path', message: `there is no node "${node}"`, hint: `there are: ${nodes.join(', ')}` };
  if (methods.length === 0) {
    const templates = new Map(modelled.map((spec) => [bare(spec.path), spec.path]));
    const near = templates.get(
      nearest(bare(path).replace(/^\/api2\/(json|extjs)/, ''), templates.keys()) ?? '',
    );
    const hint =
      near === undefined ? 'for example /nodes/{node}/qemu, or /nodes/pve1/qemu' : `did you mean ${near}?`;
    return { key: 'path', message: `PVE ${version} has no such path here: no request would meet it`, hint };
  }
  if (method !== undefined && !methods.includes(method)) {
    const hint = `it has ${methods.join(', ')}`;
    return { key: 'method', message: `${path} has no ${method} on PVE ${version}`, hint };
  }
  if (!isOfTask(action)) return undefined;
  const { endpoints } = contractOf(version);
  const tasks = methods.filter((one) => {
    const template = isTemplate ? path : router.find(one, path)?.spec.path;
    return endpoints.get(`${one} ${template ?? ''}`)?.task === true;
  });
  if (method === undefined ? tasks.length > 0 : tasks.includes(method)) return undefined;
  const where =
    tasks.length > 0 ? `${tasks.join(', ')} ${path}` : 'POST /nodes/{node}/qemu/{vmid}/clone, for example';
  return {
    key: 'action',
    message: `no task begins there: ${action} would never strike`,
    hint: `one begins with ${where}; \`action: fail\` strikes any request`,
  };
}
