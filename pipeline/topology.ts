/**
 * The system, in order. Read this first.
 *
 * A payment comes in (infra/http, or an import) and runs through `paymentTopology`: each stage gives ok, or ends the run as
 * reject (dead letter), duplicate, conflict or retry; pipeline/ingest.ts answers each kind. Once appended, the payment is a
 * ledger record like labels, list changes, rule sets and ticks. From there on nothing is called by a request: the engine
 * loop (pipeline/engine/engineLoop.ts) tails the ledger through `decisionTopology`, and the history writer
 * (pipeline/history.ts) tails the ledger and the decisions into ClickHouse.
 *
 *   gateway ─► parse ─► prepare ─► recognise retry ─► check times ─► admit ─► append ─► await decision ─► reply
 *                                                                     │              ▲
 *                                                                  LEDGER            │ publish
 *                                                                     └─► advance ─► decide ─► store ─► history
 */
import { Chain } from './outcome.ts';
import { admitPayment } from './ingest/admitPayment.ts';
import { appendEvent } from './ingest/appendEvent.ts';
import { appendPayment } from './ingest/appendPayment.ts';
import { awaitDecision } from './ingest/awaitDecision.ts';
import { checkTimes } from './ingest/checkTimes.ts';
import { parseLabel, parseOutcome, parsePayment } from './ingest/parseInput.ts';
import { preparePayment } from './ingest/preparePayment.ts';
import { recogniseRetry } from './ingest/recogniseRetry.ts';
import { referLabel, referOutcome } from './ingest/referToPayment.ts';

/** A payment, from bytes to its verdict. */
export const paymentTopology = Chain.from(parsePayment)
  .then(preparePayment)
  .then(recogniseRetry)
  .then(checkTimes)
  .then(admitPayment)
  .then(appendPayment)
  .then(awaitDecision);

/** What became of a payment (authorised, declined, captured ...), from bytes to the ledger. */
export const outcomeTopology = Chain.from(parseOutcome).then(referOutcome).then(appendEvent);

/** What a payment turned out to be (fraud, genuine), from bytes to the ledger. */
export const labelTopology = Chain.from(parseLabel).then(referLabel).then(appendEvent);
