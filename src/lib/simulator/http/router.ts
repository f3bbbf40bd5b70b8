/** Finds the endpoint of a concrete path. Knows paths only. */
import type { EndpointSpec } from '../contract/parse-tables.ts';

type Addressed = Pick<EndpointSpec, 'method' | 'path'>;

interface RouteNode<T> {
  readonly fixed: Map<string, RouteNode<T>>;
  variable: { readonly name: string; readonly node: RouteNode<T> } | undefined;
  readonly endpoints: Map<string, T>;
}

export interface Route<T = EndpointSpec> {
  readonly spec: T;
  readonly variables: Readonly<Record<string, string>>;
}

const newNode = <T>(): RouteNode<T> => ({ fixed: new Map(), variable: undefined, endpoints: new Map() });

function step<T>(node: RouteNode<T>, part: string): RouteNode<T> {
  const name = /^\{(.+)\}$/.exec(part)?.[1];
  if (name !== undefined) {
    node.variable ??= { name, node: newNode() };
    return node.variable.node;
  }
  const next = node.fixed.get(part) ?? newNode<T>();
  node.fixed.set(part, next);
  return next;
}

const split = (path: string): string[] => path.split('/').filter((part) => part !== '');

export class Router<T extends Addressed = EndpointSpec> {
  readonly #root = newNode<T>();

  constructor(specs: Iterable<T>) {
    for (const spec of specs) {
      let node = this.#root;
      for (const part of split(spec.path)) node = step(node, part);
      node.endpoints.set(spec.method, spec);
    }
  }

  /** `path` is percent-decoded: as in AnyEvent.pm an encoded slash splits like any other. */
  find(method: string, path: string): Route<T> | undefined {
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
