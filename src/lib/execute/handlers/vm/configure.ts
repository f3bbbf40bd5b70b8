/** Gives a VM of ours its NICs, options and finished mark in one write. Never touches one that is not ours. */
import { parseVmMark, withSeal } from '../../../marks/vm.ts';
import type { StepOf } from '../../../plan/document/step.ts';
import { refusedTag } from '../../../proxmox/words.ts';
import type { ConfigValues } from '../../../proxmox/types.ts';
import type { GuestAt } from '../../../pve-values/guest-kinds.ts';
import { formatTags, parseTags } from '../../../pve-values/tags.ts';
import { attempt } from '../../retry.ts';
import { StepError } from '../../step-error.ts';
import type { Handler, StepIo, StepOutcome } from '../../types.ts';
import { nodeHasAnswered } from '../node-answers.ts';
import { orGiveBack } from './abandoned.ts';
import { hereOrMoved } from './gone.ts';
import { lockError, unlessHibernated } from './lock.ts';
import { type ConfigChange, configChange, onceMoreIfStale } from './config-change.ts';

type ConfigureStep = StepOf<'vm.configure'>;

const POLL_MS = 2000;
const LOCK_PATIENCE_MS = 120_000;

async function readOwn(step: ConfigureStep, io: StepIo): Promise<ConfigValues> {
  const { node, vmid } = step;
  const started = io.clock.now();
  for (;;) {
    const values = await io.pve.guestConfig(step, io.signal);
    if (!values)
      throw new StepError('VM_MISSING', `VM ${vmid} is not on ${node}`, { hint: 'run the command again' });
    nodeHasAnswered(node, io);
    const lock = values['lock'];
    if (lock === undefined) {
      await io.ownership.assertOursNow({ vmid, pool: step.pool }, values);
      return values;
    }
    unlessHibernated(step, lock);
    if (io.clock.now() - started > LOCK_PATIENCE_MS) throw await lockError(step, lock, io);
    await io.clock.sleep(POLL_MS, io.signal);
  }
}

function secretOf(step: ConfigureStep, io: StepIo): string | undefined {
  if (!step.secret) return undefined;
  const password = io.secrets.cloudInitPassword(step.secret.machine);
  if (password !== undefined) return password;
  throw new StepError(
    'SECRET_MISSING',
    `the cloud-init password of machine ${step.secret.machine} is not known`,
    {
      hint: 'give the lab file with `cloud_init.password` again',
    },
  );
}

/** Tags are for people: where the datacenter reserves some, the VM is configured without those, which is told once for all of them. */
export async function writeConfig(
  guest: GuestAt,
  io: StepIo,
  { change, reserved = [] }: { readonly change: ConfigChange; readonly reserved?: readonly string[] },
): Promise<void> {
  try {
    await io.pve.updateVmConfig(guest, change, io.signal);
  } catch (error) {
    const refused = refusedTag(error);
    const wanted = parseTags(change.set['tags']);
    if (refused === undefined || wanted.length === 0) throw error;
    // One that it has and the lab does not want stays, and with it all others as they are.
    const left = wanted.includes(refused) ? wanted.filter((tag) => tag !== refused) : [];
    const rest = Object.entries(change.set).filter(([key]) => key !== 'tags');
    const tags = formatTags(left);
    const set = Object.fromEntries([
      ...rest,
      ...(tags === '' ? [] : [['tags', tags]]),
    ]) as ConfigChange['set'];
    await writeConfig(guest, io, { change: { ...change, set }, reserved: [...reserved, refused] });
    return;
  }
  if (reserved.length === 0) return;
  const names = reserved.map((tag) => `"${tag}"`).join(', ');
  const [noun, pronoun] = reserved.length === 1 ? ['tag', 'it'] : ['tags', 'them'];
  io.tell(
    `the datacenter reserves the ${noun} ${names} (registered-tags, user-tag-access): machines are without ${pronoun}; who has Sys.Modify on / may set ${pronoun}`,
  );
}

export const configureVm: Handler<'vm.configure'> = (step, io) => {
  const configure = async (): Promise<StepOutcome> => {
    const present = await readOwn(step, io);
    // Until it joins its pool the seal is what proves whose it is.
    const description = withSeal(step.description, parseVmMark(present['description'] ?? '')?.seal);
    const change = configChange({ ...step, description }, present, secretOf(step, io));
    if (!change) return 'already-done';
    await writeConfig(step, io, { change });
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => orGiveBack([step], io, () => hereOrMoved(step, io, () => onceMoreIfStale(configure))),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
