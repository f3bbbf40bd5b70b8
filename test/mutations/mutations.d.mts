/** A mistake that a test has to notice. */
export interface Mutation {
  readonly of: 'planner' | 'executor' | 'client';
  readonly file: string;
  /** Once in the file. */
  readonly find: string;
  readonly instead: string;
  readonly why: string;
}

export const mutations: readonly Mutation[];
