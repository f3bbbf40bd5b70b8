/** Plans a later expiry, of claims and of the accounts of ours, to one day. Never an earlier one unless that was asked for. */
import type { UserInfo } from '../../inventory/types.ts';
import { formatPoolComment, type Claim } from '../../marks/pool.ts';
import { isUserMarked } from '../../marks/user.ts';
import { compareText, sortedUnique } from '../../order.ts';
import { DAY, endOfDay, lastDayOf } from '../../pve-values/expire.ts';
import { assertSound } from '../document/graph.ts';
import type { PlannedStand, StandsPlan } from '../document/plan.ts';
import { refuse } from '../document/refuse.ts';
import { makeStep, type Step } from '../document/step.ts';
import { gapTexts, labOf } from '../document/text.ts';
import { endWarnings } from '../stands/expiry.ts';
import { protectedBecause } from '../stands/protected-accounts.ts';
import {
  absentStands,
  chosenClaims,
  plannedVms,
  poolStands,
  type DayTwoContext,
  type PoolStands,
} from './pools.ts';

export interface ExtendOptions {
  /** `YYYY-MM-DD`, the last day; or days from the earliest expiry that is selected, or from today if that is past. */
  readonly until: { readonly date: string } | { readonly days: number };
  readonly shorten: boolean;
}

export interface ExtendInput extends DayTwoContext {
  readonly options: ExtendOptions;
}

/** One day for all: whoever runs it again after it was cut gets the same one as long as any claim is left. */
function targetOf(pools: readonly PoolStands[], { options, have }: ExtendInput): string {
  const { until } = options;
  const today = have.now.slice(0, 10);
  if ('date' in until) {
    if (until.date >= today || options.shorten) return until.date;
    refuse([
      {
        code: 'UNTIL_PAST',
        message: `--until ${until.date} is past: today is ${today} (UTC, by the cluster's clock)`,
        hint: 'give a later day; with --shorten it is set all the same',
      },
    ]);
  }
  const dates = pools.flatMap(({ chosen }) => chosen.flatMap(({ claim }) => claim.expires ?? []));
  const [first] = dates.sort(compareText);
  if (first === undefined && pools.length > 0) {
    refuse([
      {
        code: 'NO_EXPIRY',
        message: 'none of these stands expires, so that --by has nothing to count from',
        hint: 'give the day with --until YYYY-MM-DD --shorten',
      },
    ]);
  }
  const from = first === undefined || first < today ? today : first;
  return lastDayOf(endOfDay(from) + until.days * DAY);
}

interface Days {
  readonly last: string | undefined;
  readonly target: string;
}

type Change =
  { readonly do: 'set' } | { readonly do: 'nothing' } | { readonly do: 'keep'; readonly note: string };

/** `last`: the last day as it is; undefined: never. `target`: as it shall be. */
function changeOf({ last, target }: Days, shorten: boolean, what: string): Change {
  if (last === target) return { do: 'nothing' };
  if (shorten || (last !== undefined && last < target)) return { do: 'set' };
  const now = last === undefined ? 'never expires' : `expires later, on ${last}`;
  return { do: 'keep', note: `${what} ${now}: left so without --shorten` };
}

/** The account ends no sooner than any of its stands: those would go with it. Undefined: never. */
function accountTarget(
  user: string,
  target: string,
  labs: ReadonlySet<Claim>,
  input: ExtendInput,
): string | undefined {
  const others = [...input.index.marks.values()]
    .filter((mark) => mark.user === user)
    .flatMap(({ claims }) => claims)
    .filter((claim) => !labs.has(claim));
  if (others.some(({ expires }) => expires === undefined)) return undefined;
  return others.reduce((latest, { expires = '' }) => (expires > latest ? expires : latest), target);
}

interface Account {
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

const NOTHING: Account = { steps: [], notes: [] };

function ofAccount(present: UserInfo, target: string, labs: ReadonlySet<Claim>, input: ExtendInput): Account {
  const { userid, comment, expire } = present;
  const last = expire === 0 ? undefined : lastDayOf(expire);
  const isEarly = last !== undefined && last < target;
  if (protectedBecause(userid, input.have.caller) !== undefined || !isUserMarked(comment)) {
    if (!isEarly) return NOTHING;
    return { steps: [], notes: [`the account was not made by deploy-stand: it still expires on ${last}`] };
  }
  const { shorten } = input.options;
  const wanted = isEarly ? target : accountTarget(userid, target, labs, input);
  // That an account lives longer than a stand is nothing to speak of, unless it was asked to end.
  if (wanted === undefined || (!isEarly && !shorten)) return NOTHING;
  if (changeOf({ last, target: wanted }, shorten, 'the account').do !== 'set') return NOTHING;
  const reason = `until ${wanted}; it was ${last ?? 'never'}`;
  return {
    steps: [
      makeStep(
        'user.update',
        userid,
        { user: userid, reason },
        { userid, comment, expire: endOfDay(wanted) },
      ),
    ],
    notes: [],
  };
}

interface Draft {
  readonly stand: PlannedStand;
  readonly accounts: readonly Step[];
  readonly claims: readonly Step[];
}

function extendPool(view: PoolStands, account: Account, target: string, { options }: ExtendInput): Draft {
  const { user, pool, mark, chosen } = view;
  const changes = new Map(
    chosen.map(({ claim }) => [
      claim.lab,
      changeOf({ last: claim.expires, target }, options.shorten, `lab ${claim.lab}`),
    ]),
  );
  const isSet = ({ lab }: Claim): boolean => changes.get(lab)?.do === 'set';
  const before = chosen.filter(({ claim }) => isSet(claim)).map(({ claim }) => claim.expires ?? 'never');
  const claims = mark.claims.map((claim) => (isSet(claim) ? { ...claim, expires: target } : claim));
  const frame = {
    user,
    reason: `until ${target}; it was ${sortedUnique(before).join(', ')}`,
    // Claims last: --by counts from them.
    after: account.steps.map(({ id }) => id),
  };
  const comment = formatPoolComment({ ...mark, user, claims });
  const [node] = chosen.flatMap((stand) => stand.node ?? []);
  const kept = [...changes.values()].flatMap((change) => (change.do === 'keep' ? [change.note] : []));
  return {
    stand: {
      user,
      pool,
      ...(node === undefined ? {} : { node }),
      vms: plannedVms(chosen),
      bridges: [],
      notes: [...kept, ...account.notes],
    },
    accounts: account.steps,
    claims: before.length === 0 ? [] : [makeStep('pool.update', pool, frame, { pool, comment })],
  };
}

/** The next deploy writes what its files say. */
function fileWarnings(target: string, steps: readonly Step[]): string[] {
  const keys = [
    ...(steps.some(({ kind }) => kind === 'pool.update') ? [`\`expires: ${target}\` in the lab file`] : []),
    ...(steps.some(({ kind }) => kind === 'user.update') ? [`\`expire: ${target}\` in the users file`] : []),
  ];
  if (keys.length === 0) return [];
  return [
    `set ${keys.join(' and ')}, ${keys.length === 1 ? 'if it is given there' : 'where they are given there'}: deploy and users sync write what the files say`,
  ];
}

function pastWarnings(target: string, steps: readonly Step[], now: string): string[] {
  return endWarnings(
    target,
    steps.some(({ kind }) => kind === 'user.update'),
    now,
  );
}

/** Accounts once, however many pools a user has. */
export function planExtend(input: ExtendInput): StandsPlan {
  const pools = poolStands(input);
  const target = targetOf(pools, input);
  const labs = new Set(pools.flatMap(({ chosen }) => chosen.map(({ claim }) => claim)));
  const seen = new Set<string>();
  const drafts = pools.map((view) => {
    const present = seen.has(view.user) ? undefined : input.index.users.get(view.user);
    seen.add(view.user);
    return extendPool(view, present ? ofAccount(present, target, labs, input) : NOTHING, target, input);
  });
  const steps = [...drafts.flatMap(({ accounts }) => accounts), ...drafts.flatMap(({ claims }) => claims)];
  assertSound(steps);
  return {
    version: 2,
    command: 'extend',
    lab: labOf(chosenClaims(pools)),
    steps,
    stands: [...drafts.map(({ stand }) => stand), ...absentStands(input)],
    warnings: [
      ...gapTexts(input.have),
      ...(pools.length === 0 ? [] : pastWarnings(target, steps, input.have.now)),
      ...fileWarnings(target, steps),
    ],
  };
}
