/** Parts of a page that may change by themselves, each in a list under a key; and what changed between two states of one. */

export interface Part {
  /** Unique in its list. */
  readonly key: string;
  /** One element; every text in it is escaped. */
  readonly html: string;
}

/** List → its parts, in order. */
export type Parts = Readonly<Record<string, readonly Part[]>>;

/** Absent `keys`: the same parts in the same order. */
interface ListChange {
  readonly keys?: readonly string[];
  readonly html: Readonly<Record<string, string>>;
}

export type Changes = Readonly<Record<string, ListChange>>;

function changeOf(former: readonly Part[] | undefined, now: readonly Part[]): ListChange | undefined {
  const known = new Map((former ?? []).map(({ key, html }) => [key, html]));
  const changed = now.filter(({ key, html }) => known.get(key) !== html);
  const isSameOrder = former?.length === now.length && now.every(({ key }, at) => former[at]?.key === key);
  if (isSameOrder && changed.length === 0) return undefined;
  return {
    ...(isSameOrder ? {} : { keys: now.map(({ key }) => key) }),
    html: Object.fromEntries(changed.map(({ key, html }) => [key, html])),
  };
}

/** Without a former state: all of it. */
export function changesBetween(former: Parts | undefined, now: Parts): Changes {
  return Object.fromEntries(
    Object.entries(now).flatMap(([list, parts]) => {
      const change = changeOf(former?.[list], parts);
      return change ? [[list, change]] : [];
    }),
  );
}
