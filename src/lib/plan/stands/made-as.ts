/** What a machine was made from, against what the lab would make it from now: what only a machine that is made anew follows. */
import type { Lab, Machine } from '../../config/types.ts';
import type { VmConfig } from '../../inventory/types.ts';
import { ownVmMark, parseVmMark } from '../../marks/vm.ts';
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

/**
 * What a machine was made from, against what it would be made from now. `untold`: neither is known, since 0.1.0 wrote it into
 * no notes, and a student who may write notes takes it out.
 */
export type Make = 'current' | 'outdated' | 'untold';

export function makeOf(lab: Lab, wanted: Wanted, config: VmConfig, index: ClusterView): Make {
  const { candidates } = wanted;
  const { vmid, values } = config;
  const spec = ownVmMark(vmid, values)?.spec;
  const mark = parseVmMark(values['description'] ?? '');
  const unlessOutdated = mark?.from === undefined ? 'untold' : 'current';
  if (spec === undefined) return unlessOutdated;
  if (fixedWishes(lab, wanted, { spec, config }).length > 0) return 'outdated';
  if (mark?.from !== undefined && !candidates.some(({ digest }) => isMadeFrom(mark.from, digest)))
    return 'outdated';
  const replica = index.replicas.find(({ claim }) => claim.vmid === mark?.base);
  const isOfFormer = replica !== undefined && !candidates.some((candidate) => isFresh(replica, candidate));
  return isOfFormer ? 'outdated' : unlessOutdated;
}

const DIGEST_DIGITS = 12;

/** What a machine's notes say of the template that it was made from: any edit of its configuration makes another one. */
export function madeFrom(digest: string): string {
  return digest.slice(0, DIGEST_DIGITS);
}

function isMadeFrom(from: string | undefined, digest: string): boolean {
  return from === madeFrom(digest);
}
