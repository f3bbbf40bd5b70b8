/**
 * The certificate of a served simulator. One whose cluster is kept has its certificate kept beside it, as a node keeps its
 * own: a client that trusts a fingerprint finds the same server again after a restart.
 */
import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';
import { UsageError } from '../../lib/errors.ts';
import { beginsLike, readRegularFile } from '../../lib/files/open.ts';
import { FileProblem } from '../../lib/files/problem.ts';
import { replaceFile } from '../../lib/files/replace.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly fingerprint: string;
}

const MAX_BYTES = 64 * 1024;
const PEM =
  /^(-----BEGIN PRIVATE KEY-----\n[^]*-----END PRIVATE KEY-----\n)(-----BEGIN CERTIFICATE-----\n[^]*)$/;
const isOurs = beginsLike('-----BEGIN PRIVATE KEY-----\n');

const withFingerprint = (key: string, cert: string): Certificate => ({
  ...{ key, cert },
  fingerprint: new X509Certificate(cert).fingerprint256,
});

async function makeCertificate(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return withFingerprint(key.replaceAll('\r\n', '\n'), cert.replaceAll('\r\n', '\n'));
}

/** Undefined: there is none that still holds, and a new one may take its place. */
function readCertificate(file: string, now: number): Certificate | undefined {
  let text: string;
  try {
    text = readRegularFile(file, { maxBytes: MAX_BYTES }).bytes.toString('utf8');
  } catch (error) {
    if (error instanceof FileProblem && error.kind === 'missing') return undefined;
    if (!(error instanceof FileProblem)) throw error;
    throw new UsageError(
      'STATE_FILE',
      `the simulator's certificate ${file} cannot be read: ${error.message}`,
      {
        hint: 'make it readable, or remove it: another is made',
        cause: error,
      },
    );
  }
  const [, key, cert] = PEM.exec(text) ?? [];
  if (key === undefined || cert === undefined) return undefined;
  try {
    const { validTo } = new X509Certificate(cert);
    return Date.parse(validTo) > now ? withFingerprint(key, cert) : undefined;
  } catch {
    return undefined;
  }
}

/** `state`: the file in which the cluster is kept; the certificate's is named after it. */
export async function certificateOf(state: string | undefined, now: number): Promise<Certificate> {
  if (state === undefined) return makeCertificate();
  const file = `${state}.pem`;
  const kept = readCertificate(file, now);
  if (kept) return kept;
  const made = await makeCertificate();
  try {
    await replaceFile(file, made.key + made.cert, { mode: 0o600, isPrivate: true, isOurs });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new UsageError(
      'STATE_FILE',
      `the simulator's certificate was not kept in ${file}: ${error.message}`,
      {
        hint: 'name a --simulate-state file in a folder that you may write to',
        cause: error,
      },
    );
  }
  return made;
}
