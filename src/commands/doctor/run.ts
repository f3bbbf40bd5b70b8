/** What `doctor` does with its flags: read, report. */
import { loadLab, loadUsers, poolOptions } from '../../lib/config/load.ts';
import { exitCodeOfFindings } from '../../lib/outcome/exit-code.ts';
import type { Command } from '../../lib/privileges/types.ts';
import type { Profile } from '../../lib/plan/cluster/profile.ts';
import { renderDoctor, toDoctorDocument } from '../../lib/render/doctor-text.ts';
import { examineCaller, type DoctorWant } from '../../lib/workflow/doctor.ts';
import { runChanging } from '../cluster-command.ts';
import type { ProgramIo } from '../io.ts';
import type { GlobalFlags } from '../options.ts';
import { outerBridges } from '../session.ts';

export interface DoctorFlags extends GlobalFlags {
  readonly config?: string;
  readonly users?: readonly string[];
  readonly labName?: string;
  readonly for: Command;
  readonly profile?: Profile;
}

function wantOf(io: ProgramIo, flags: DoctorFlags, warn: (text: string) => void): DoctorWant {
  const options = {
    ...(flags.labName === undefined ? {} : { name: flags.labName }),
    outerBridges: outerBridges(io, flags),
  };
  const lab = flags.config === undefined ? undefined : loadLab(flags.config, options);
  const users = flags.users === undefined ? undefined : loadUsers(flags.users, poolOptions(lab?.lab));
  for (const text of [...(lab?.warnings ?? []), ...(users?.warnings ?? [])]) warn(text);
  return {
    command: flags.for,
    ...(lab ? { lab: lab.lab } : {}),
    ...(users ? { users: users.users } : {}),
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
  };
}

export async function runDoctor(io: ProgramIo, flags: DoctorFlags): Promise<void> {
  await runChanging(io, flags, async (run) => {
    const want = wantOf(io, flags, (text) => run.output.warn(text));
    const report = await examineCaller(want, await run.runContext());
    run.finish();
    run.output.result(toDoctorDocument(report), () => renderDoctor(report, run.output));
    io.setExitCode(exitCodeOfFindings({ isUntouched: report.missing > 0 }));
  });
}
