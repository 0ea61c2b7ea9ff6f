import type { SimulatedEvent } from './simulate.ts';

/**
 * What is posted for an event: the JSON of the gateway API, fields that are null left out. Neither the campaign nor
 * the truth is in it.
 */
export function requestBody(simulated: SimulatedEvent): string {
  return JSON.stringify(simulated.event, leaveOutNull);
}

/**
 * A simulation as NDJSON, one event a line without its line end:
 * {"kind":"transaction","campaign":"cardTesting","fraud":true,"event":{…}}, {"kind":"label","event":{…}},
 * {"kind":"outcome","event":{…}}. `event` is what the gateway API takes; campaign and fraud are left out when null, false.
 */
export function* simulationLines(events: Iterable<SimulatedEvent>): Generator<string, void, undefined> {
  for (const simulated of events) {
    const truth =
      simulated.kind === 'transaction' && simulated.campaign !== null
        ? `"campaign":${JSON.stringify(simulated.campaign)},"fraud":${simulated.fraud},`
        : '';
    yield `{"kind":"${simulated.kind}",${truth}"event":${requestBody(simulated)}}`;
  }
}

function leaveOutNull(_key: string, value: unknown): unknown {
  return value ?? undefined;
}
