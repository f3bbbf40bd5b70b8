/** Paths of PVE's rights. */

/** The machine whose own path this is. */
export function vmidIn(path: string): number | undefined {
  const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
  return vmid === undefined ? undefined : Number(vmid);
}
