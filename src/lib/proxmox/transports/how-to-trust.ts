/** The way out for a certificate that is not trusted: whole commands, to be followed to the letter. */
import { shellCommand } from '../../shell.ts';
import type { ConnectionSettings } from '../types.ts';

type Trusted = Pick<ConnectionSettings, 'name' | 'file'>;

/** Undefined: no file decides what this connection trusts. */
export function trustCommand({ name, file }: Trusted, seen: string): string | undefined {
  return file === undefined ? undefined : shellCommand('deploy-stand', 'connections', 'trust', name, seen);
}

export function howToTrustNode(connection: Trusted, seen: string): string {
  const command = trustCommand(connection, seen);
  const authority =
    "ca_file (PVE_CA_FILE) to a copy of the cluster's CA, /etc/pve/pve-root-ca.pem, which all nodes have";
  return `Compare the fingerprint with what the node shows (System > Certificates, or \`pvenode cert info\`). If it is the same:
${
  command === undefined
    ? `export PVE_FINGERPRINT=${seen}\nor set ${authority}`
    : `${command}\nor set PVE_FINGERPRINT to it, or ${authority}`
}`;
}
