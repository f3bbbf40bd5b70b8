/** How long `check --repeat` goes on. Reads no clock. */
import { UsageError } from '../../lib/errors.ts';

export interface RepeatFlags {
  readonly repeat?: number;
  readonly until?: string;
}

/** Milliseconds since the epoch; undefined: until it is stopped. `now`: of the cluster's clock. */
export function endOf({ repeat, until }: RepeatFlags, now: number): number | undefined {
  if (until === undefined) return undefined;
  const [, hours = '', minutes = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(until) ?? [];
  if (repeat === undefined || hours === '') {
    throw new UsageError(
      'UNTIL',
      hours === ''
        ? `--until takes a time of today as HH:MM, got ${JSON.stringify(until)}`
        : '--until has no meaning without --repeat',
      { hint: 'for example: --repeat 30s --until 12:30' },
    );
  }
  const end = new Date(now);
  end.setHours(Number(hours), Number(minutes), 0, 0);
  if (end.getTime() > now) return end.getTime();
  throw new UsageError('UNTIL', `--until ${until} is past`, { hint: 'name a later time of today' });
}
