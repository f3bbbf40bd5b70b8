/** Paths of PVE's rights. */

/** The pool whose own path this is. */
export function poolIn(path: string): string | undefined {
  return /^\/pool\/(.+)$/.exec(path)?.[1];
}

/** The machine whose own path this is. */
export function vmidIn(path: string): number | undefined {
  const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
  return vmid === undefined ? undefined : Number(vmid);
}
