/** Reads a host as written in connections.yml. Must not resolve or contact anything. */
import { ConfigError } from '../errors.ts';

const DEFAULT_PORT = 8006;

export interface Host {
  readonly secure: boolean;
  /** Name or address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** `host:port`, IPv6 in brackets; for URLs and messages. */
  readonly label: string;
}

const WRITTEN = /^(?:(https?):\/\/)?(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([^\s/:@?#[\]]+))(?::(\d{1,5}))?\/?$/i;
const BARE_IPV6 = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i;

/** Parses `host`, `host:port`, `[v6]:port` or an URL without path; plain http to this machine only. */
export function toHost(written: string): Host {
  const match = WRITTEN.exec(BARE_IPV6.test(written) ? `[${written}]` : written);
  const hostname = match?.[2] ?? match?.[3];
  const port = Number(match?.[4] ?? DEFAULT_PORT);
  if (hostname === undefined || port < 1 || port > 65_535) {
    throw new ConfigError('HOST_INVALID', `"${written}" is not a host`, {
      hint: 'write host, host:port or [ipv6]:port',
    });
  }
  const secure = match?.[1]?.toLowerCase() !== 'http';
  if (!secure && !isLoopback(hostname)) {
    throw new ConfigError('HOST_INSECURE', `"${written}" would send the login unencrypted`, {
      hint: 'leave "http://" out; for a self-signed certificate set ca_file (PVE_CA_FILE) or fingerprint (PVE_FINGERPRINT)',
    });
  }
  const label = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
  return { secure, hostname, port, label };
}

/** This machine: nothing that is sent there can be read on the way. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
