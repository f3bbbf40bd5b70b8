/** What follows from a connection: whose login it is, and where people log in. */
import type { Connection } from '../types.ts';
import { PLATFORMS } from './platform.ts';

/** `user@realm`, or `user@realm!token`. */
export function loginOf({ auth }: Connection): string {
  return auth.kind === 'token' ? auth.tokenId : auth.user;
}

export function urlOf({ hosts, platform }: Connection): string {
  const host = hosts[0] ?? '';
  return `https://${host.includes(':') ? host : `${host}:${PLATFORMS[platform].listener.port}`}`;
}
