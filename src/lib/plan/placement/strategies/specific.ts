/** Strategy `specific`: the one node that the lab names. */
import { balanced } from './balanced.ts';
import type { PlacementStrategy } from './strategy.ts';

export const specific: PlacementStrategy = {
  candidates: ({ placement: { node } }) => (node === undefined ? undefined : [node]),
  takesMaintenance: true,
  reason: 'as asked',
  place: balanced.place,
};
