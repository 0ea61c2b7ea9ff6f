/*
 * Exact integer sums of amounts and of their squares, over as many as 2^26 (67 million) amounts of up to 1e12 in one window, by
 * plain double additions: every lane adds integers below 2^27, so no lane reaches 2^53, and a value that leaves takes off exactly
 * what it added. A sum takes two lanes (2^20 apart), a sum of squares three (2^27 apart).
 */
export const LANE_20: f64 = 1048576;
export const LANE_27: f64 = 134217728;

export let amountLow: f64 = 0;
export let amountHigh: f64 = 0;
export let square0: f64 = 0;
export let square1: f64 = 0;
export let square2: f64 = 0;

/** Splits an integer amount, from 0 to 1e12, and its square into their lanes. */
export function splitAmount(amountMinor: f64): void {
  const high = floor<f64>(amountMinor * (1 / LANE_20));
  const low = amountMinor - high * LANE_20;
  amountLow = low;
  amountHigh = high;
  // amount^2 = low^2 + 2 low high 2^20 + high^2 2^40; every intermediate stays below 2^53.
  const cross = 2 * low * high;
  const crossCarry = floor<f64>(cross * (1 / <f64>128));
  const bottom = low * low + (cross - crossCarry * 128) * LANE_20;
  const bottomCarry = floor<f64>(bottom * (1 / LANE_27));
  const middle = crossCarry + bottomCarry + high * high * 8192;
  const middleCarry = floor<f64>(middle * (1 / LANE_27));
  square0 = bottom - bottomCarry * LANE_27;
  square1 = middle - middleCarry * LANE_27;
  square2 = middleCarry;
}

/** Takes over what another instance has split. */
export function takeLanes(low: f64, high: f64, first: f64, second: f64, third: f64): void {
  amountLow = low;
  amountHigh = high;
  square0 = first;
  square1 = second;
  square2 = third;
}
