/** The names of the placement strategies, in the order in which help lists them. What each does: plan/placement/strategies/. */
export const STRATEGY_NAMES = ['local', 'specific', 'balanced', 'smart'] as const;
