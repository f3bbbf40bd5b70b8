/** Steps on our copies of templates. Payloads only; "Fail:" says what is left behind, and how it is mended. */
import type { GuestAt } from '../../../pve-values/guest-kinds.ts';

export interface TemplateSteps {
  /**
   * A full copy of a template under a claimed VMID; `home` is the node that it is made for, `node` the template's. Fail: PVE rolls the copy
   * back; the claim stays and the id is used again.
   */
  'template.clone': GuestAt & {
    /** The node of the template: PVE cannot copy onto another node what is on local storage. */
    readonly target: string;
    readonly home: string;
    readonly templateVmid: number;
    readonly name: string;
    /** The mark. */
    readonly description: string;
    readonly full: true;
    readonly storage?: string;
    /** Where a seal alone could be forged: it joins the pool of all copies at the end of its clone. */
    readonly joinsAtOnce?: true;
    readonly locks: readonly string[];
  };
  /** Takes from a copy what its template handed down. Fail: run again; `templates prune` removes what is left. */
  'template.configure': GuestAt & {
    readonly home: string;
    readonly description: string;
    /** Plain config keys → values. */
    readonly options: Readonly<Record<string, string>>;
  };
  /** Moves a copy, with its local disks. Fail: it is still on `node`. Run again. */
  'template.migrate': GuestAt & {
    readonly home: string;
    readonly description: string;
    readonly targetStorage?: string;
    /** Storages of `home` whose locks it takes. */
    readonly locks: readonly string[];
  };
  /** Makes a copy a template. Fail: it is none yet, and nothing is cloned from it. Run again. */
  'template.convert': GuestAt & {
    readonly home: string;
    readonly description: string;
    readonly locks: readonly string[];
  };
  /**
   * Makes a finished copy a member of the pool of all copies, and says so in its claim: one PUT. Fail: it is known by its
   * seal only, and nothing is cloned from it. Run again.
   */
  'template.join': GuestAt & {
    readonly home: string;
    readonly description: string;
  };
}
