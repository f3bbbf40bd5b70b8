/** Reads PVE's `netN` property strings out of a VM configuration. Writing them is the handler's work. */

export interface PresentNic {
  readonly index: number;
  readonly model: string;
  /** Upper case; empty if none is written. */
  readonly mac: string;
  readonly bridge: string;
  readonly tag?: number;
}

function parseNic(index: number, value: string): PresentNic {
  let model = '';
  let mac = '';
  let bridge = '';
  let tag: number | undefined;
  for (const part of value.split(',')) {
    const at = part.indexOf('=');
    const key = at < 0 ? part : part.slice(0, at);
    const text = at < 0 ? '' : part.slice(at + 1);
    if (key === 'bridge') bridge = text;
    else if (key === 'tag') tag = Number(text);
    else if (key === 'model') model = text;
    else if (key === 'macaddr') mac = text.toUpperCase();
    else if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
      model = key; // PVE's short form `virtio=AA:BB:…`
      mac = text.toUpperCase();
    } else if (model === '' && at < 0) model = key;
  }
  return { index, model, mac, bridge, ...(tag === undefined ? {} : { tag }) };
}

/** NICs by index, ascending. */
export function presentNics(values: Readonly<Record<string, string>>): PresentNic[] {
  const nics: PresentNic[] = [];
  for (const [key, value] of Object.entries(values)) {
    const match = /^net(\d+)$/.exec(key);
    if (match) nics.push(parseNic(Number(match[1]), value));
  }
  return nics.sort((a, b) => a.index - b.index);
}
