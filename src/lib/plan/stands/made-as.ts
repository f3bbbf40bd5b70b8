/** What a machine was made from, against what the lab would make it from now: what only a machine that is made anew follows. */
import type { Lab, Machine } from '../../config/types.ts';
import type { VmConfig } from '../../inventory/types.ts';
import { parseVmMark } from '../../marks/vm.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import { isFresh } from '../cluster/replicas.ts';
import type { FoundTemplates } from '../cluster/templates.ts';
import type { ClusterView } from '../cluster/view.ts';
import { compareSpecs, specOf } from './spec.ts';

/** The keys of lab.yml, as people are told of them. */
export type FixedWish = 'template or full_clone' | 'storage';

interface Wanted extends FoundTemplates {
  readonly machine: Machine;
}

interface Made {
  /** Spec in its mark. */
  readonly spec?: string;
  readonly config: VmConfig;
}

/** Of several templates of one name or tag, it does not matter which one it was cloned from. */
function isOfOtherMake(lab: Lab, { machine, candidates }: Wanted, spec: string): boolean {
  return candidates.every(({ vmid }) => compareSpecs(spec, specOf(lab, machine, vmid)).fixed);
}

/** A disk that a student added, or an administrator moved, makes no machine one of another storage. */
function isElsewhere({ machine: { storage } }: Wanted, { config }: Made): boolean {
  const disks = volumesOf(config.values).filter(({ kind }) => kind === 'disk');
  return storage !== undefined && disks.length > 0 && disks.every((disk) => disk.storage !== storage);
}

/** Of a machine whose notes do not tell how it was made nothing is known. */
export function fixedWishes(lab: Lab, wanted: Wanted, made: Made): FixedWish[] {
  if (made.spec === undefined) return [];
  return [
    ...(isOfOtherMake(lab, wanted, made.spec) ? (['template or full_clone'] as const) : []),
    ...(isElsewhere(wanted, made) ? (['storage'] as const) : []),
  ];
}

/** Was it made from what it would be made from now? What its notes do not tell any more counts as yes. */
export function isOutdated(lab: Lab, wanted: Wanted, made: Made, index: ClusterView): boolean {
  const { candidates } = wanted;
  if (made.spec === undefined) return false;
  if (fixedWishes(lab, wanted, made).length > 0) return true;
  const mark = parseVmMark(made.config.values['description'] ?? '');
  if (mark?.from !== undefined && !candidates.some(({ digest }) => isMadeFrom(mark.from, digest)))
    return true;
  const replica = index.replicas.find(({ claim }) => claim.vmid === mark?.base);
  return replica !== undefined && !candidates.some((candidate) => isFresh(replica, candidate));
}

const DIGEST_DIGITS = 12;

/** What a machine's notes say of the template that it was made from: any edit of its configuration makes another one. */
export function madeFrom(digest: string): string {
  return digest.slice(0, DIGEST_DIGITS);
}

function isMadeFrom(from: string | undefined, digest: string): boolean {
  return from === madeFrom(digest);
}
