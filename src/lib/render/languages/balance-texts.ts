/** What balance says to people, in any language. Reasons that the planner gives as sentences have a word by their code. Types only. */
import type { MoveSummary, SummaryStatus } from '../../outcome/types.ts';
import type { BalanceReport, PlannedMove, RejectedMove } from '../../plan/document/balance-report.ts';

export interface BalanceTexts {
  readonly head: readonly [node: string, cpu: string, memory: string, load: string, guests: string];
  /** Instead of CPU, where nobody measures it. */
  readonly vcpus: string;
  readonly before: string;
  readonly after: string;
  readonly planned: string;
  readonly offline: string;
  readonly maintenance: string;
  /** E.g. `memory 91 % > 80 %`, as the planner says it. */
  readonly breach: (text: string) => string;
  readonly otherNodes: (count: number, cpu: string, memory: string) => string;
  readonly moveWord: (status: MoveSummary['status']) => string;
  readonly guestWord: (status: MoveSummary['guests'][number]['status'], node: string | null) => string;
  readonly byHa: string;
  readonly because: (move: Pick<PlannedMove, 'why' | 'reason' | 'from'>) => string;
  /** Why a move was planned while the run was under way. */
  readonly anew: string;
  /** Storages that are called differently there, `ssd1 → ssd2`. */
  readonly disks: (pairs: string) => string;
  /** What a container's move means for those in it. `size` is empty where nothing is copied. */
  readonly restarts: (vmid: number, size: string) => string;
  readonly moves: string;
  readonly gap: (percent: number) => string;
  readonly notMoved: string;
  readonly rejected: (move: Pick<RejectedMove, 'code' | 'reason'>) => string;
  readonly several: (count: number, first: string) => string;
  readonly andMore: (first: string, more: number) => string;
  readonly stuck: string;
  readonly warning: string;
  readonly historyGone: (moment: string) => string;
  readonly stays: (count: number, nodes: string, ids: string) => string;
  readonly toMove: (count: number) => string;
  readonly moved: (count: number) => string;
  readonly failed: (count: number) => string;
  readonly notDone: (count: number) => string;
  readonly imbalance: string;
  readonly deferred: (count: number) => string;
  readonly title: (status: SummaryStatus) => string | undefined;
  readonly dryRun: string;
  /** The verdict in a sentence. */
  readonly verdict: (report: Pick<BalanceReport, 'verdict' | 'reason' | 'moves'>) => string;
  /** Of messages. */
  readonly more: (count: number) => string;
  readonly titled: (connection: string, text: string) => string;
  readonly movedTo: (move: {
    readonly vmid: number;
    readonly node: string;
    readonly target: string;
    readonly seconds: number;
  }) => string;
  readonly failure: (what: string) => string;
  readonly status: (status: SummaryStatus) => string;
  readonly imbalanceWas: (value: string) => string;
}
