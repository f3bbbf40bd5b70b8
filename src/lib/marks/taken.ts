/** The rights that a freeze took away, as the header of a pool's comment keeps them for the thaw. Judges none. */

/** A right of the pool's user: on the pool, or on one machine. */
export interface TakenRight {
  /** Absent: on the pool. */
  readonly vmid?: number;
  readonly role: string;
  readonly propagate: boolean;
}

/** PVE's own rule for names of roles (pve-access-control, verify_rolename). */
const WORD = /^(?:([1-9]\d{0,8}):)?([A-Za-z0-9._-]+)(!?)$/;

const keyOf = ({ vmid = 0, role }: TakenRight): string => `${vmid}:${role}`;

function inOrder(rights: Iterable<TakenRight>): TakenRight[] {
  return [...rights].sort(
    (a, b) => (a.vmid ?? 0) - (b.vmid ?? 0) || (a.role < b.role ? -1 : a.role > b.role ? 1 : 0),
  );
}

/** `PVEVMAdmin,10201:PVEVMUser!`: a `!` where it does not propagate. Words that are none are left out. */
export function parseTaken(text: string): TakenRight[] {
  return text.split(',').flatMap((word): TakenRight[] => {
    const [, vmid, role, stays] = WORD.exec(word) ?? [];
    if (role === undefined) return [];
    return [{ ...(vmid === undefined ? {} : { vmid: Number(vmid) }), role, propagate: stays === '' }];
  });
}

export function formatTaken(rights: readonly TakenRight[]): string {
  return inOrder(rights)
    .map(
      ({ vmid, role, propagate }) => `${vmid === undefined ? '' : `${vmid}:`}${role}${propagate ? '' : '!'}`,
    )
    .join(',');
}

/** What is kept already, and what is taken now: nothing that was ever kept is lost. */
export function mergeTaken(kept: readonly TakenRight[], now: readonly TakenRight[]): TakenRight[] {
  return inOrder(new Map([...kept, ...now].map((right) => [keyOf(right), right])).values());
}
