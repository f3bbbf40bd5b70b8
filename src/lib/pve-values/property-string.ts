/** Takes PVE's property strings apart: `virtio=AA:…,bridge=vmbr0`, `local:vm-1-disk-0,size=8G`. Knows no key. */

export interface Property {
  readonly key: string;
  /** Absent: the part has no `=`. */
  readonly value?: string;
}

/** The parts in their order. */
export function propertiesOf(text: string): Property[] {
  return text.split(',').map((part) => {
    const at = part.indexOf('=');
    return at < 0 ? { key: part } : { key: part.slice(0, at), value: part.slice(at + 1) };
  });
}

/** The values of those parts that have a key. */
export function propertyRecord(text: string): Record<string, string> {
  return Object.fromEntries(
    propertiesOf(text).flatMap(({ key, value }) => (key === '' || value === undefined ? [] : [[key, value]])),
  );
}
