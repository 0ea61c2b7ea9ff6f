// What TreeShap runs; treeShap.ts says what it computes, shapProgram.ts writes the programs, shapMemory.ts has the same numbers.

/** Words of the header: first tree and one past the last, kinds of the first pass and one past those of the last, bytes of a pass. */
const TREES: u32 = 0;
const TREES_END: u32 = 4;
const KINDS: u32 = 8;
const KINDS_END: u32 = 12;
const PASS_BYTES: u32 = 16;
/** Places of a tree's root, and where its steps leave their ways and states. */
const ROOT: u32 = 20;
const WAYS: u32 = 24;
const STATES: u32 = 28;
/** Where the records of steps, of forks and of leaves begin. */
const STEPS: u32 = 32;
const FORKS: u32 = 36;
const LEAVES: u32 = 40;

/** A tree: one past the last of its steps, of its forks and of its leaves. */
const TREE_BYTES: u32 = 12;
const STEPS_END: u32 = 0;
const FORKS_END: u32 = 4;
const LEAVES_END: u32 = 8;

/** An input: its value and its contribution, in two lanes. */
const CONTRIBUTION: u32 = 16;

/** A place: P at the four points, and B. The place of a left child follows that of its right sibling. */
const PLACE_SHIFT: u32 = 6;
const PLACE_BYTES: u32 = 1 << PLACE_SHIFT;
const MEAN: u32 = 32;

/** A kind: what a cold branch weighs, less its share, and each point's weight. The first is that of steps whose value does not matter. */
const QUADRATURE: u32 = 32;

/** A step or fork begins so. */
const THRESHOLD: u32 = 0;
const INPUT: u32 = 8;
const PLACE: u32 = 12;
const KIND: u32 = 16;
const STATE: u32 = 20;

const STEP_BYTES: u32 = 48;
const CHILDREN: u32 = 24;
/** The cold child's share of the cover: if the row goes right, and if it goes left. */
const SHARES: u32 = 32;

const FORK_BYTES: u32 = 56;
/** If the row goes right, and if it goes left: the value of that leaf, and what the cold one takes from it. */
const VALUES: u32 = 24;
const LOSSES: u32 = 40;

const LEAF_BYTES: u32 = 16;
const LEAF_PLACE: u32 = 8;

/** A way: place of the hot child, kind. */
const WAY_BYTES: u32 = 8;
const WAY_KIND: u32 = 4;

const STATE_BYTES: u32 = 2;

export function explain(): void {
  const kindsEnd = load<u32>(KINDS_END);
  const treesEnd = load<u32>(TREES_END);
  const root = load<u32>(ROOT);
  for (let kinds = load<u32>(KINDS); kinds < kindsEnd; kinds += load<u32>(PASS_BYTES)) {
    let step = load<u32>(STEPS);
    let fork = load<u32>(FORKS);
    let leaf = load<u32>(LEAVES);
    const one = f64x2.splat(1);
    v128.store(root, one);
    v128.store(root, one, 16);
    for (let tree = load<u32>(TREES); tree < treesEnd; tree += TREE_BYTES) {
      const leavesEnd = load<u32>(tree, LEAVES_END);
      for (; leaf < leavesEnd; leaf += LEAF_BYTES) {
        const value = v128.load64_splat(leaf);
        const place = load<u32>(leaf, LEAF_PLACE);
        v128.store(place, value, MEAN);
        v128.store(place, value, MEAN + 16);
      }
      const stepsEnd = load<u32>(tree, STEPS_END);
      down(step, stepsEnd, kinds);
      const forksEnd = load<u32>(tree, FORKS_END);
      addForks(fork, forksEnd, kinds);
      up(step, stepsEnd);
      step = stepsEnd;
      fork = forksEnd;
    }
  }
}

function down(first: u32, end: u32, kinds: u32): void {
  let way = load<u32>(WAYS);
  let state = load<u32>(STATES);
  for (let step = first; step < end; step += STEP_BYTES) {
    const matters = <u32>load<u8>(load<u32>(step, STATE));
    const left = (<u32>(load<f64>(load<u32>(step, INPUT)) <= load<f64>(step, THRESHOLD))) & matters;
    const kind = kinds + (load<u32>(step, KIND) & (0 - matters));
    const hot = load<u32>(step, CHILDREN) + (left << PLACE_SHIFT);
    const cold = hot ^ PLACE_BYTES;
    store<u32>(way, hot);
    store<u32>(way, kind, WAY_KIND);
    store<u16>(state, <u16>(matters << (left << 3)));
    const share = v128.load64_splat(step + (left << 3), SHARES);
    const place = load<u32>(step, PLACE);
    const weight0 = v128.load(place);
    const weight1 = v128.load(place, 16);
    const cold0 = f64x2.mul(f64x2.mul(weight0, v128.load(kind)), share);
    const cold1 = f64x2.mul(f64x2.mul(weight1, v128.load(kind, 16)), share);
    v128.store(hot, f64x2.sub(weight0, cold0));
    v128.store(hot, f64x2.sub(weight1, cold1), 16);
    v128.store(cold, cold0);
    v128.store(cold, cold1, 16);
    way += WAY_BYTES;
    state += STATE_BYTES;
  }
}

function addForks(first: u32, end: u32, kinds: u32): void {
  for (let fork = first; fork < end; fork += FORK_BYTES) {
    const input = load<u32>(fork, INPUT);
    const matters = <u32>load<u8>(load<u32>(fork, STATE));
    const left = (<u32>(load<f64>(input) <= load<f64>(fork, THRESHOLD))) & matters;
    const kind = kinds + (load<u32>(fork, KIND) & (0 - matters));
    const place = load<u32>(fork, PLACE);
    const hot = fork + (left << 3);
    const value = v128.load64_splat(hot, VALUES);
    const loss = v128.load64_splat(hot, LOSSES);
    const weight0 = f64x2.mul(v128.load(kind, QUADRATURE), v128.load(place));
    const weight1 = f64x2.mul(v128.load(kind, QUADRATURE + 16), v128.load(place, 16));
    add(input, f64x2.mul(loss, f64x2.add(weight0, weight1)));
    v128.store(place, f64x2.sub(value, f64x2.mul(v128.load(kind), loss)), MEAN);
    v128.store(place, f64x2.sub(value, f64x2.mul(v128.load(kind, 16), loss)), MEAN + 16);
  }
}

function up(first: u32, end: u32): void {
  let way = load<u32>(WAYS) + ((end - first) / STEP_BYTES) * WAY_BYTES;
  for (let step = end; step > first;) {
    step -= STEP_BYTES;
    way -= WAY_BYTES;
    const hot = load<u32>(way);
    const kind = load<u32>(way, WAY_KIND);
    const cold = hot ^ PLACE_BYTES;
    const share = v128.load64_splat(step + ((hot & PLACE_BYTES) >>> 3), SHARES);
    const place = load<u32>(step, PLACE);
    const mean0 = v128.load(hot, MEAN);
    const mean1 = v128.load(hot, MEAN + 16);
    const loss0 = f64x2.mul(f64x2.sub(mean0, v128.load(cold, MEAN)), share);
    const loss1 = f64x2.mul(f64x2.sub(mean1, v128.load(cold, MEAN + 16)), share);
    const weight0 = f64x2.mul(v128.load(kind, QUADRATURE), v128.load(place));
    const weight1 = f64x2.mul(v128.load(kind, QUADRATURE + 16), v128.load(place, 16));
    add(load<u32>(step, INPUT), f64x2.add(f64x2.mul(weight0, loss0), f64x2.mul(weight1, loss1)));
    v128.store(place, f64x2.sub(mean0, f64x2.mul(v128.load(kind), loss0)), MEAN);
    v128.store(place, f64x2.sub(mean1, f64x2.mul(v128.load(kind, 16), loss1)), MEAN + 16);
  }
}

function add(input: u32, contribution: v128): void {
  v128.store(input, f64x2.add(v128.load(input, CONTRIBUTION), contribution), CONTRIBUTION);
}
