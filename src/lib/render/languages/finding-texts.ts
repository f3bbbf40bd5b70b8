/** What a language says of checks that did not pass. What guests and PVE say in it stays as they said it. */
import type { WhyNotRun } from '../../plan/views/checks-types.ts';

export interface FindingTexts {
  readonly passed: string;
  readonly whyNotRun: Readonly<Record<WhyNotRun, string>>;
  readonly printed: (quoted: string) => string;
  readonly printedOnStderr: (quoted: string) => string;
  readonly printedNothing: string;
  readonly exit: (code: string, printed: string) => string;
  readonly killed: (signal: string, printed: string) => string;
  readonly timeout: string;
  readonly flood: string;
  readonly notStarted: (quoted: string) => string;
  /** For the student who gets the grade. */
  readonly feedback: Readonly<Record<'failed' | 'notRun', string>>;
}
