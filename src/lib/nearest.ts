/** Which of the words that there are was probably meant by one that there is not. Pure. */
import { distance } from 'fastest-levenshtein';

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** Those that are nearest, if they are near enough: several only where they are equally near; at most `most`. */
export function nearestOf(word: string, candidates: Iterable<string>, most: number): string[] {
  const typed = plain(word).slice(0, 64);
  const near: { readonly candidate: string; readonly score: number }[] = [];
  for (const candidate of candidates) {
    const score = distance(typed, plain(candidate));
    // Two swapped letters are a distance of 2.
    const isNear = score <= Math.max(candidate.length < 5 ? 1 : 2, Math.floor(candidate.length / 3));
    if (isNear) near.push({ candidate, score });
  }
  const best = Math.min(...near.map(({ score }) => score));
  return near
    .filter(({ score }) => score === best)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The word that was probably meant, if one is near enough. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  return nearestOf(word, candidates, 1)[0];
}
