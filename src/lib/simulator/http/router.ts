/** Finds the endpoint of a concrete path. Knows paths only. */
import type { EndpointSpec } from '../contract/parse-tables.ts';

interface RouteNode {
  readonly fixed: Map<string, RouteNode>;
  variable: { readonly name: string; readonly node: RouteNode } | undefined;
  readonly endpoints: Map<string, EndpointSpec>;
}

export interface Route {
  readonly spec: EndpointSpec;
  readonly variables: Readonly<Record<string, string>>;
}

const newNode = (): RouteNode => ({ fixed: new Map(), variable: undefined, endpoints: new Map() });

function step(node: RouteNode, part: string): RouteNode {
  const name = /^\{(.+)\}$/.exec(part)?.[1];
  if (name !== undefined) {
    node.variable ??= { name, node: newNode() };
    return node.variable.node;
  }
  const next = node.fixed.get(part) ?? newNode();
  node.fixed.set(part, next);
  return next;
}

const split = (path: string): string[] => path.split('/').filter((part) => part !== '');

export class Router {
  readonly #root = newNode();

  constructor(specs: Iterable<EndpointSpec>) {
    for (const spec of specs) {
      let node = this.#root;
      for (const part of split(spec.path)) node = step(node, part);
      node.endpoints.set(spec.method, spec);
    }
  }

  /** `path` is percent-decoded: as in AnyEvent.pm an encoded slash splits like any other. */
  find(method: string, path: string): Route | undefined {
    const variables: Record<string, string> = {};
    let node = this.#root;
    for (const part of split(path)) {
      const fixed = node.fixed.get(part);
      if (fixed) {
        node = fixed;
        continue;
      }
      if (!node.variable) return undefined;
      variables[node.variable.name] = part;
      node = node.variable.node;
    }
    const spec = node.endpoints.get(method);
    return spec && { spec, variables };
  }
}
