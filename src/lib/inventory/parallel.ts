/** How many things are read at once. */

/** pveproxy runs three workers per node; more requests than this only queue there. */
export const PARALLEL_READS = 12;
