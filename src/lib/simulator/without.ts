/** A copy without some of its members. Pure. */

/** A map stays a map; of an object with named members the type says which ones are gone. */
type Without<T, K extends keyof T> = string extends keyof T ? Record<string, T[keyof T]> : Omit<T, K>;

export function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Without<T, K>;
export function without(value: object, ...keys: readonly string[]): object {
  const copy = { ...value };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}
