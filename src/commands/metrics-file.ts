/** The file for a collector of metrics: refused where it is somebody else's, a warning where it cannot be written. */
import { UsageError } from '../lib/errors.ts';
import type { IsOurs } from '../lib/files/open.ts';
import { assertReplaceable } from '../lib/files/replace.ts';
import { FileProblem } from '../lib/files/problem.ts';
import type { Output } from './output.ts';

/** The collector would never see the figures; and a run by interval would tell of it each time. */
export async function assertMetricsFile(file: string, isOurs: IsOurs): Promise<void> {
  try {
    await assertReplaceable(file, { isOurs });
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    throw new UsageError('METRICS_FILE', `the metrics file ${file} cannot be used: ${error.message}`, {
      hint: "name a file of its own in the folder of node-exporter's textfile collector",
      cause: error,
    });
  }
}

/** What was seen or done is told all the same. */
export async function orWarn(file: string, writing: Promise<void>, output: Output): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    output.warn(`the metrics file ${file} could not be written: ${error.message}`);
  }
}
