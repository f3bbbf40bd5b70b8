import type { FindingTexts } from './finding-texts.ts';

export const findingEn: FindingTexts = {
  passed: 'passed',
  whyNotRun: {
    'no-stand': 'the student has no stand',
    missing: 'the machine is not there',
    'not-ours': 'the machine is not ours any more',
    'node-offline': 'its node is offline',
    off: 'the machine is off',
    'no-agent': 'the machine has no guest agent configured',
    'agent-silent': 'its guest agent does not answer',
    'agent-odd': 'its guest agent answers nonsense',
    'not-allowed': 'the caller may not',
    unreachable: 'Proxmox VE did not answer',
    gone: 'the machine went away meanwhile',
    unreadable: 'its configuration cannot be read',
    interrupted: 'the run was stopped before',
  },
  printed: (quoted) => `printed ${quoted}`,
  printedOnStderr: (quoted) => `stderr ${quoted}`,
  printedNothing: 'printed nothing',
  exit: (code, printed) => `exit code ${code}, ${printed}`,
  killed: (signal, printed) => `killed by signal ${signal}, ${printed}`,
  timeout: 'did not end in time (it goes on in the machine)',
  flood: 'printed more than 1 MiB',
  notStarted: (quoted) => `could not be started: ${quoted}`,
  feedback: { failed: 'not passed', notRun: 'not checked' },
};
