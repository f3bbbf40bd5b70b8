/** Reckons with the load that lessons bring, so that room is made for it before they begin. */
import type { Guest, Policy, Stand } from './types.ts';
import type { World } from './world.ts';

/** The guests, each of a lab whose lesson is on or near with what it will take. */
export function withLessons<G extends Guest>(
  guests: ReadonlyMap<number, G>,
  stands: ReadonlyMap<number, Stand>,
  { config, lessons }: { readonly config: Policy; readonly lessons: World['lessons'] },
): ReadonlyMap<number, G> {
  if (lessons.size === 0) return guests;
  return new Map(
    [...guests].map(([vmid, guest]) => {
      const lab = stands.get(vmid)?.lab ?? '';
      const lessonCpu = lessons.has(lab) ? config.labs[lab]?.lessonCpu : undefined;
      return [vmid, lessonCpu === undefined ? guest : { ...guest, lessonCpu }];
    }),
  );
}

/** Loads in the report are not those that were measured then. */
export function lessonNotes({ config, lessons, stands }: World): string[] {
  return [...lessons].flatMap(([lab, { isOn, text }]) => {
    const machines = [...stands.values()].filter((stand) => stand.lab === lab).length;
    if (machines === 0) return [];
    const share = Math.round((config.labs[lab]?.lessonCpu ?? 0) * 100);
    const when = isOn ? 'is on' : 'is near';
    return [
      `a lesson of lab ${lab} ${when} (${text}): its ${machines} machines count with ${share} % of their CPUs and all their memory`,
    ];
  });
}
