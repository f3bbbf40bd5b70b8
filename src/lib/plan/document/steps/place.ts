/** Where a guest is: what each of its steps holds, and nothing of what is done to it. */

export interface GuestPlace {
  readonly node: string;
  readonly vmid: number;
}

/** `pool`: of the claim that makes it ours. */
export interface OursAt extends GuestPlace {
  readonly pool: string;
}

export function oursAt({ node, vmid }: GuestPlace, pool: string): OursAt {
  return { node, vmid, pool };
}
