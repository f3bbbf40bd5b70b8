/** A request as it goes over the wire, the same for every transport. */
import type { HttpMethod } from '../errors.ts';
import { encodeForm } from '../form.ts';
import type { Outgoing } from './types.ts';

export interface WireForm {
  readonly method: HttpMethod;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** PVE forbids a body on GET and DELETE: parameters go into the query there. */
export function wireForm({ method, path, params, json, headers }: Outgoing): WireForm {
  const common = { Accept: 'application/json', 'User-Agent': 'deploy-stand', ...headers };
  if (json !== undefined) {
    const typed = { ...common, 'Content-Type': 'application/json' };
    return { method, target: path, ...(json === '' ? { headers: common } : { headers: typed, body: json }) };
  }
  const target = `/api2/json${path}`;
  const form = encodeForm(params);
  if (method === 'GET' || method === 'DELETE') {
    return { method, target: form === '' ? target : `${target}?${form}`, headers: common };
  }
  return {
    method,
    target,
    body: form,
    headers: { ...common, 'Content-Type': 'application/x-www-form-urlencoded' },
  };
}
