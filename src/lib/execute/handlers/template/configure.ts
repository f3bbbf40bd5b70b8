/** Takes from a copy what its template handed down: start at boot, protection, tags, images. Never touches a template. */
import { isTemplate } from '../../../pve-values/guest-flags.ts';
import { isDigestMismatch } from '../../../proxmox/words.ts';
import { attempt } from '../../retry.ts';
import type { Handler, StepOutcome } from '../../types.ts';
import { findReplica, LOCK_SECONDS } from './place.ts';
import { writeConfig } from '../vm/configure.ts';
import { patiently } from '../vm/lock.ts';

function differing(
  wanted: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([key, value]) => present[key] !== value && !(value === '0' && present[key] === undefined),
    ),
  );
}

export const configureReplica: Handler<'template.configure'> = (step, io) => {
  const configure = async (): Promise<StepOutcome | 'locked'> => {
    const { node, values } = await findReplica(step, io);
    // It is configured before it is moved, and moved before it is converted.
    if (isTemplate(values) || (node === step.home && step.home !== step.node)) return 'already-done';
    if (values['lock'] !== undefined) return 'locked';
    const set = differing(step.options, values);
    if (Object.keys(set).length === 0) return 'already-done';
    const digest = values['digest'];
    try {
      await writeConfig({ ...step, node }, io, {
        change: { set, remove: [], ...(digest === undefined ? {} : { digest }) },
      });
    } catch (error) {
      // Another run wrote the same.
      if (!isDigestMismatch(error)) throw error;
      return configure();
    }
    return 'done';
  };
  return attempt(io, {
    id: step.id,
    act: () => patiently({ ...step, lockWaitSeconds: LOCK_SECONDS }, io, configure),
    // Each try begins with the look.
    look: () => Promise.resolve('absent'),
  });
};
