/** The role of our own, which labs ask for as `role: student`. It is known by its name and by what it holds. */

export const STUDENT_ROLE = 'DeployStandStudent';

/** How it is written in a lab. */
export const STUDENT = 'student';

/**
 * To use a machine and to bring it back: on 7.4, 8.4 and 9.2 alike. Not what takes it out of our hands (VM.Config.Options:
 * notes, name, template flag; VM.Allocate, VM.Clone, VM.Migrate), out of its network (VM.Config.Network) or out of bounds
 * (VM.Config.CPU, VM.Config.Memory, VM.Config.Disk, VM.Backup). Sorted.
 */
export const STUDENT_PRIVILEGES: readonly string[] = [
  'VM.Audit',
  'VM.Config.CDROM',
  'VM.Config.Cloudinit',
  'VM.Console',
  'VM.PowerMgmt',
  'VM.Snapshot',
  'VM.Snapshot.Rollback',
];
