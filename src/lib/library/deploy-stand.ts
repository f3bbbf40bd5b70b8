/** One object for programs: every story of the command line on one connection, without its flags and its words. */
import { createClock } from '../clock.ts';
import { otherPlatform } from '../config/connections/platform.ts';
import { loginOf, urlOf } from '../config/connections/login.ts';
import type { Connection, Lab } from '../config/types.ts';
import { CredentialsFile } from '../credentials/credentials-file.ts';
import type { StandError } from '../errors.ts';
import type { ApplyEvent } from '../execute/types.ts';
import type { RunOutcome } from '../outcome/types.ts';
import type { CleanupOptions } from '../plan/cleanup/context.ts';
import type { Plan } from '../plan/document/plan.ts';
import type { ChecksReport } from '../plan/views/checks-types.ts';
import type { BridgeReport } from '../plan/network/view.ts';
import type { TemplateReport } from '../plan/templates/view.ts';
import { createPveClient, type PveClient } from '../proxmox/client.ts';
import { createTaskWaiter } from '../proxmox/tasks.ts';
import type { Scenario } from '../simulator/scenario.ts';
import {
  balance,
  previewBalance,
  type BalanceOutcome,
  type BalancePreview,
  type BalanceWant,
} from '../workflow/balance.ts';
import { changeBridges, listBridges, previewBridges, type BridgesWant } from '../workflow/bridges.ts';
import { checkStands, type CheckWant } from '../workflow/check.ts';
import { cleanup, previewCleanup, type CleanupWant } from '../workflow/cleanup.ts';
import type { RunContext } from '../workflow/context.ts';
import {
  applySavedPlan,
  deploy,
  previewDeploy,
  type DeployPreview,
  type DeployWant,
} from '../workflow/deploy.ts';
import { exportCards, type CardsExport, type ExportWant } from '../workflow/export.ts';
import { USUAL_LOCK_WAIT, USUAL_MIN_AGE, USUAL_SINCE } from '../workflow/patience.ts';
import type { Preview } from '../workflow/planned-run.ts';
import { lookAtStands, type SeenStatus, type StatusWant } from '../workflow/status.ts';
import {
  changeTemplates,
  listTemplates,
  previewTemplates,
  type TemplatesWant,
} from '../workflow/templates.ts';
import { changeUsers, previewUsers, type UsersWant } from '../workflow/users.ts';
import { openSimulated } from './simulated.ts';

/** The cluster of a connection (see `loadConnection`), or one that is simulated: its time jumps, `clock.speed` counts for nothing. */
export type Target =
  | { readonly connection: Omit<Connection, 'platform'> & Partial<Connection> }
  | { readonly simulate: Scenario };

export type DeployStandOptions = Target & {
  /** Aborted: nothing new is begun, and what is under way is waited for; the same call again finishes the work. */
  readonly signal?: AbortSignal;
  /** Who holds the planning lock, in the messages of other runs. Default: the login. */
  readonly owner?: string;
  /** Cap on steps at once; default: what PVE's locks allow. */
  readonly concurrency?: number;
  readonly onPlan?: (plan: Plan) => void;
  /** `share`: how much of a phase that is told again and again is done, 0 to 1. */
  readonly onPhase?: (text: string, share?: number) => void;
  readonly onEvent?: (event: ApplyEvent) => void;
  /** Something beside the cluster went wrong; default: nobody is told. */
  readonly onTrouble?: (error: StandError) => void;
};

/** `previewX` reads and plans, the others change the cluster; all throw StandError. `credentials`: path of the CSV file. */
export interface DeployStand {
  /** Target students log in. */
  readonly url: string;
  /** Every endpoint of PVE that deploy-stand uses, without policy. */
  readonly pve: PveClient;
  previewDeploy(want: DeployOrder): Promise<DeployPreview>;
  /** `saved`: nothing is done that is not in this plan. */
  deploy(want: DeployOrder, credentials: string, saved?: Plan): Promise<RunOutcome>;
  previewCleanup(want: CleanupOrder): Promise<Preview>;
  cleanup(want: CleanupOrder, credentials?: string): Promise<RunOutcome>;
  previewUsers(want: UsersWant): Promise<Preview>;
  changeUsers(want: UsersWant, credentials: string): Promise<RunOutcome>;
  /** What each student is handed; `renderHtmlCards` makes a page of them. */
  cards(want: Omit<ExportWant, 'url'>, credentials: string): Promise<CardsExport>;
  /** How stands are, without writing; of all, unless `stands` narrows it. */
  status(want?: StatusOrder): Promise<SeenStatus>;
  /** Runs checks (`lab.checks`, `loadChecks`) in students' machines. */
  check(want: CheckOrder): Promise<ChecksReport>;
  listBridges(nodes?: readonly string[]): Promise<BridgeReport>;
  previewBridges(want: BridgesWant): Promise<Preview>;
  changeBridges(want: BridgesWant): Promise<RunOutcome>;
  listTemplates(lab?: Lab): Promise<TemplateReport>;
  previewTemplates(want: TemplatesWant): Promise<Preview>;
  changeTemplates(want: TemplatesWant): Promise<RunOutcome>;
  previewBalance(want: BalanceWant): Promise<BalancePreview>;
  /** One round. */
  balance(want: BalanceWant): Promise<BalanceOutcome>;
  /** Closes all connections. */
  close(): void;
}

export type DeployOrder = Omit<DeployWant, 'options'> & { readonly options?: Partial<DeployWant['options']> };
export type CleanupOrder = Omit<CleanupWant, 'options'> & { readonly options?: Partial<CleanupOptions> };

export type StatusOrder = Partial<StatusWant>;
export type CheckOrder = Omit<CheckWant, 'stands'> & Partial<Pick<CheckWant, 'stands'>>;

function statusWant(want: StatusOrder): StatusWant {
  const nothingMore = { ips: false, snapshots: false, ownership: false, drift: false, templates: false };
  return { stands: {}, sinceSeconds: USUAL_SINCE.seconds, ...nothingMore, ...want };
}

function deployWant({ options, ...want }: DeployOrder): DeployWant {
  return { ...want, options: { adopt: false, updateRunning: false, ...options } };
}

function cleanupWant({ options, ...want }: CleanupOrder): CleanupWant {
  const usual: CleanupOptions = {
    ...{ keepUsers: false, adopt: false, includeMembers: false, forceProtected: false },
    ...{ lockWaitSeconds: USUAL_LOCK_WAIT.seconds, minAgeSeconds: USUAL_MIN_AGE.seconds },
  };
  return { ...want, options: { ...usual, ...options } };
}

const nothing = (): void => undefined;

function target(where: Target) {
  const host = createClock();
  // People watch how a command works; a program only waits for it.
  if ('simulate' in where) return openSimulated({ scenario: where.simulate }, undefined);
  const connection: Connection = { platform: 'pve', ...where.connection };
  if (connection.platform !== 'pve') throw otherPlatform(connection.name, connection.platform);
  return { connection, clock: host, connect: undefined, url: urlOf(connection), stop: nothing };
}

/** Contacts nothing yet: the first method called does. */
export function createDeployStand(options: DeployStandOptions): DeployStand {
  const { connection, clock, connect, url, stop } = target(options);
  const hard = new AbortController();
  const caller = loginOf(connection);
  const pve = createPveClient({ connection, clock, connect });
  const context: RunContext = {
    ...{ pve, clock, caller, operators: connection.operators },
    tasks: createTaskWaiter(pve, clock, { signal: hard.signal }),
    owner: options.owner ?? caller,
    soft: options.signal ?? new AbortController().signal,
    hard: hard.signal,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    onPlan: options.onPlan ?? nothing,
    onPhase: options.onPhase ?? nothing,
    onEvent: options.onEvent ?? nothing,
    onTrouble: options.onTrouble ?? nothing,
  };
  const open = (path: string): Promise<CredentialsFile> => CredentialsFile.open(path, { url });
  const withFile = async (path: string) => ({ ...context, credentials: await open(path) });
  return {
    url,
    pve,
    previewDeploy: (want) => previewDeploy(deployWant(want), context),
    deploy: async (want, path, saved) => {
      const own = await withFile(path);
      return saved ? applySavedPlan(saved, deployWant(want), own) : deploy(deployWant(want), own);
    },
    previewCleanup: (want) => previewCleanup(cleanupWant(want), context),
    cleanup: async (want, path) =>
      cleanup(cleanupWant(want), path === undefined ? context : await withFile(path)),
    previewUsers: (want) => previewUsers(want, context),
    changeUsers: async (want, path) => changeUsers(want, await withFile(path)),
    cards: async (want, path) => exportCards({ ...want, url }, context, await open(path)),
    status: (want = {}) => lookAtStands(statusWant(want), context),
    check: (want) => checkStands({ stands: {}, ...want }, context),
    listBridges: (nodes) => listBridges(nodes, context),
    previewBridges: (want) => previewBridges(want, context),
    changeBridges: (want) => changeBridges(want, context),
    listTemplates: (lab) => listTemplates(lab, context),
    previewTemplates: (want) => previewTemplates(want, context),
    changeTemplates: (want) => changeTemplates(want, context),
    previewBalance: (want) => previewBalance(want, context),
    balance: (want) => balance(want, context),
    close: () => {
      hard.abort();
      pve.close();
      stop();
    },
  };
}
