/** Proposes userids that PVE can keep for those that it cannot, each once in a class. Judges nothing. */
import anyAscii from 'any-ascii';

const LONGEST = 64;

/** `Иван` → `Ivan`, `Ольга` → `Olga`; a letter comes first, since it is the pool's name, too. */
function legalName(name: string): string {
  const latin = anyAscii(name)
    .replaceAll(/['"`]/g, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '.')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[._-]+|[._-]+$/g, '');
  if (latin === '') return 'student';
  return /^[A-Za-z]/.test(latin) ? latin : `u${latin}`;
}

/** Hands out proposals; `names` are those that the class has already. */
export class LegalUserids {
  readonly #taken: Set<string>;
  readonly #given = new Map<string, string>();

  constructor(names: Iterable<string>) {
    this.#taken = new Set([...names].map((name) => name.toLowerCase()));
  }

  /** The same for the same user, another for each other. */
  for(name: string, realm: string): string {
    const key = `${name}@${realm}`;
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const proposal = this.another(name, realm);
    this.#given.set(key, proposal);
    return proposal;
  }

  /** Another at each call, also for the same name: two people may have one. */
  another(name: string, realm: string): string {
    const legal = legalName(name);
    let proposal = '';
    for (let count = 1; proposal === '' || this.#taken.has(proposal.toLowerCase()); count += 1) {
      const suffix = count === 1 ? '' : `-${count}`;
      proposal = `${legal.slice(0, LONGEST - 1 - realm.length - suffix.length)}${suffix}`;
    }
    this.#taken.add(proposal.toLowerCase());
    return `${proposal}@${realm}`;
  }
}
