import { setTimeout as sleep } from 'node:timers/promises';
import { HttpLoad, type HttpLoadOptions } from '../infra/load/httpLoad.ts';
import type { LoadReport } from '../infra/load/loadStats.ts';
import { liveSimulation } from '../pipeline/simulate/options.ts';
import { simulate, type SimulatedEvent } from '../pipeline/simulate/simulate.ts';

const SECOND_MS = 1_000;
const LEAD_MS = 500;

/** Payments and what follows them, prepared in simulated time and sent from now on. */
export interface PreparedLoad extends Omit<HttpLoadOptions, 'events'> {
  readonly events: readonly SimulatedEvent[];
  /** When the first of them are due; default: in a moment. */
  readonly startMs?: number;
}

export async function sendLoad({
  events,
  startMs = Date.now() + LEAD_MS,
  ...options
}: PreparedLoad): Promise<LoadReport> {
  const shifted = events.map((event) => shift(event, startMs));
  await sleep(Math.max(0, startMs - Date.now()));
  return new HttpLoad({ ...options, events: shifted }).run();
}

/** `label` tells the payments of one load from those of another. Simulated from REFERENCE_MS on, sent when they are wanted. */
export function prepareEvents(rate: number, seconds: number, label: string): SimulatedEvent[] {
  const durationMs = seconds * SECOND_MS;
  const idPrefix = `${label}${Date.now().toString(36)}-`;
  const events: SimulatedEvent[] = [];
  const options = liveSimulation({ seed: 1, startTimeMs: REFERENCE_MS, durationMs, paymentsPerSecond: rate, idPrefix });
  for (const event of simulate(options)) {
    // What follows the last payment are labels, minutes later.
    if (event.timeMs >= REFERENCE_MS + durationMs) break;
    events.push(event);
  }
  return events;
}

const REFERENCE_MS = Date.UTC(2026, 5, 1, 4);

function shift(event: SimulatedEvent, startMs: number): SimulatedEvent {
  const byMs = startMs - REFERENCE_MS;
  const timeMs = event.timeMs + byMs;
  switch (event.kind) {
    case 'transaction':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
    case 'label':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
    case 'outcome':
      return { ...event, timeMs, event: { ...event.event, eventTimeMs: event.event.eventTimeMs + byMs } };
  }
}
