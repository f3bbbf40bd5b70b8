/** What the login page of PVE calls its built-in realms. */

const LABELS: Readonly<Record<string, string>> = {
  pve: 'Proxmox VE authentication server',
  pam: 'Linux PAM standard authentication',
};

/** Undefined: the page shows the realm's own name or comment. */
export function realmLabel(realm: string): string | undefined {
  return Object.hasOwn(LABELS, realm) ? LABELS[realm] : undefined;
}
