/**
 * Machines whose memory their host can neither send nor write to disk: qemu-server QemuMigrate/Helpers.pm
 * check_non_migratable_resources (8.3 and later; before, QEMU itself refuses). Judges nothing else.
 */
const ENCRYPTED: readonly string[] = ['amd-sev', 'intel-tdx'];

/** What keeps it there, in PVE's order. */
export function memoryTies(values: Readonly<Record<string, string>>): string[] {
  const isShared = Object.keys(values).some((key) => /^virtiofs\d+$/.test(key));
  return [...ENCRYPTED.filter((key) => values[key] !== undefined), ...(isShared ? ['virtiofs'] : [])];
}
