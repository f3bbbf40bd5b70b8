/** Looks at a server's certificate. Sends nothing but the handshake, and judges nothing. */
import { TLSSocket } from 'node:tls';
import { ConnectionError } from '../errors.ts';
import { openTls } from './transports/agents.ts';
import { toHost } from './hosts.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface ServerCertificate {
  /** `host:port` */
  readonly host: string;
  /** SHA-256, upper case, colon separated. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly validTo: number;
  /** By the authorities of the system, or by `ca`; the host's name included. */
  readonly isTrusted: boolean;
}

interface Certificate {
  readonly fingerprint256?: string;
  readonly subject?: { readonly CN?: string | string[] };
  readonly issuer?: { readonly CN?: string | string[] };
  readonly valid_to?: string;
}

/** `ca`: PEM text. Throws ConnectionError. */
export async function readCertificate(written: string, ca?: string): Promise<ServerCertificate> {
  const host = toHost(written);
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void =>
      reject(
        new ConnectionError('UNREACHABLE', `the certificate of ${host.label} cannot be read: ${reason}`, {
          hint: 'is it a node of the cluster, and its port 8006 reachable from here?',
          cause,
        }),
      );
    const tls = { verify: false, ...(ca === undefined ? {} : { ca }) };
    openTls({ host, tls, connectTimeout: CONNECT_TIMEOUT_MS, howToTrust: () => '' }, (error, socket) => {
      if (error || !(socket instanceof TLSSocket)) {
        fail(error?.message ?? 'no TLS', error);
        return;
      }
      // An empty object when there is no certificate, whatever the declaration says.
      const certificate: Certificate = socket.getPeerCertificate();
      const isTrusted = socket.authorized;
      socket.destroy();
      const { fingerprint256: fingerprint, subject, issuer, valid_to: until = '' } = certificate;
      if (fingerprint === undefined) {
        fail('the server shows none');
        return;
      }
      const nameOf = (of: Certificate['subject']): string => [of?.CN ?? '?'].flat().join(', ');
      const validTo = Date.parse(until);
      resolve({
        host: host.label,
        fingerprint,
        subject: nameOf(subject),
        issuer: nameOf(issuer),
        validTo,
        isTrusted,
      });
    });
  });
}
