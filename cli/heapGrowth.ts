import { setFlagsFromString } from 'node:v8';

/** The old heap may grow to (1 + this / 100) times what the last full collection left, up to Node's usual limit. */
const HEAP_GROWING_PERCENT = 400;

/**
 * Full collections of a server's heap, some 40 MB here, come every 3 s by V8's defaults, and each takes both cores of a small
 * machine for some 50 ms: they set the latency's p99. What Sluice keeps for long lies outside the heap, in typed arrays,
 * so giving the heap room costs little and makes full collections rare.
 */
export function giveHeapRoom(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}
