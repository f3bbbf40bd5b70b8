/**
 * Names by a pattern of `*` and `?`, as people write them for hosts and guests. Not picomatch, whose `*` is not like an empty
 * name, and to which `|` is no letter.
 */

/** Is all of `name` like `pattern`? Without backtracking beyond the last star. */
export function isLike(pattern: string, name: string): boolean {
  let [at, in_, star, mark] = [0, 0, -1, 0];
  while (in_ < name.length) {
    if (pattern[at] === '*') {
      star = at;
      mark = in_;
      at += 1;
    } else if (pattern[at] === '?' || (at < pattern.length && pattern[at] === name[in_])) {
      at += 1;
      in_ += 1;
    } else if (star >= 0) {
      mark += 1;
      at = star + 1;
      in_ = mark;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
