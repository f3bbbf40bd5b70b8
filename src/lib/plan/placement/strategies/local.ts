/** Strategy `local`: where the templates are. */
import { balanced } from './balanced.ts';
import type { PlacementStrategy } from './strategy.ts';

export const local: PlacementStrategy = {
  followsTemplates: true,
  candidates: (_lab, machines) => [
    ...new Set(machines.flatMap(({ candidates }) => candidates.map((template) => template.node))),
  ],
  reason: "the template's node",
  place: balanced.place,
};
