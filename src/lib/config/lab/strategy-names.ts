/**
 * The names of the placement strategies, in the order in which help lists them, and what files and flags may say beside each.
 * What each does: plan/placement/strategies/.
 */
export const STRATEGY_NAMES = ['local', 'specific', 'balanced', 'smart'] as const;

type StrategyName = (typeof STRATEGY_NAMES)[number];

interface StrategyWords {
  /** Goes with `node`, which the others do not take. */
  readonly takesNode?: true;
  /** Follows templates, so that no `pin` can be kept. */
  readonly keepsNoPin?: true;
}

const WORDS: { readonly [S in StrategyName]: StrategyWords } = {
  local: { keepsNoPin: true },
  specific: { takesNode: true },
  balanced: {},
  smart: {},
};

/** Where only a node is named, and where nothing is. */
export const defaultStrategy = (node: string | undefined): StrategyName =>
  node === undefined ? 'balanced' : 'specific';

function wordsOf(strategy: unknown): StrategyWords {
  const name = STRATEGY_NAMES.find((one) => one === strategy);
  return name === undefined ? {} : WORDS[name];
}

export function takesNode(strategy: unknown): boolean {
  return wordsOf(strategy).takesNode === true;
}

export function keepsNoPin(strategy: unknown): boolean {
  return wordsOf(strategy).keepsNoPin === true;
}
