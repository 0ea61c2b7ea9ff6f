/**
 * Where things lie in the memory that assembly/shap.ts works on, in bytes; it has the same numbers. Everything that another
 * thing names is named by its address.
 *
 * An input has two records, its value in each: for nodes that send an undefined value to the right, and `inputs` records further
 * on for those that send it to the left. A node names the one that goes its way. A place holds a node's P and B; places come
 * in pairs of siblings, the right one first. A choice by the row is made by adding to an address, so whatever is chosen from
 * lies so: if the row goes right, if it goes left.
 */
export const HEADER = {
  trees: 0,
  treesEnd: 4,
  kinds: 8,
  kindsEnd: 12,
  passBytes: 16,
  root: 20,
  ways: 24,
  states: 28,
  steps: 32,
  forks: 36,
  leaves: 40,
  bytes: 128,
} as const;

/** A tree: one past the last of its steps, forks and loose leaves. */
export const TREE = { stepsEnd: 0, forksEnd: 4, leavesEnd: 8, bytes: 12 } as const;
/** The contribution in two lanes. */
export const INPUT = { value: 0, contribution: 16, bytes: 32 } as const;
export const PLACE_BYTES = 64;
/** Quadrature points that one pass takes: enough for paths of eight inputs. */
export const POINTS = 4;
/** For each point: what a cold branch weighs, less its share; and what the point weighs. */
export const KIND = { factors: 0, quadrature: 32, bytes: 64 } as const;
/** What a step and a fork begin with. `state` is the address that tells whether the node's value matters. */
export const NODE = { threshold: 0, input: 8, place: 12, kind: 16, state: 20 } as const;
/** `children`: the pair's place. `shares`: of the cover, the cold child's. */
export const STEP = { children: 24, shares: 32, bytes: 48 } as const;
/** The hot leaf's value, and what the cold one takes from it. */
export const FORK = { values: 24, losses: 40, bytes: 56 } as const;
export const LOOSE_LEAF = { value: 0, place: 8, bytes: 16 } as const;
/** What the way down leaves for the way up: place of the hot child, kind. */
export const WAY_BYTES = 8;
/** Of each step: whether its value matters and the row goes right, and whether it goes left. */
export const STATE_BYTES = 2;
