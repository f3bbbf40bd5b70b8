/** Validated request parameters with typed access. Values come out of validate.ts only. */

export type ParamValue = string | number | boolean;

export class Params {
  readonly #values: ReadonlyMap<string, ParamValue>;

  constructor(values: ReadonlyMap<string, ParamValue>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  /** Text of a parameter that the contract says is present; empty otherwise. */
  text(name: string): string {
    return this.optText(name) ?? '';
  }

  optText(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
  }

  /** The items of an array; of a list that came as one text, see split_list. */
  optList(name: string): string[] | undefined {
    const text = this.optText(name);
    if (text === undefined) return undefined;
    return text.includes('\0') ? text.split('\0') : [text];
  }

  /** The same with one parameter under another name. */
  renamed(from: string, to: string): Params {
    return new Params(new Map([...this.#values].map(([name, value]) => [name === from ? to : name, value])));
  }

  optNumber(name: string): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : Number(value);
  }

  number(name: string): number {
    return this.optNumber(name) ?? 0;
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.#values.get(name);
    return value === undefined ? otherwise : Boolean(value);
  }
}
