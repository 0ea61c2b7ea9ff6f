import { codecs } from '../../schemas/codec.ts';
import { checkBounds, parseJson, parseJsonText, type ParseResult, type Validated } from '../../schemas/parse.ts';
import type { GatewayTransaction, Label, Outcome as OutcomeEvent } from '../../schemas/types.ts';
import type { RawInput } from '../gateway.ts';
import { ok, reject, type Outcome } from '../outcome.ts';
import type { IngestContext } from './ingestContext.ts';

interface InputTypes {
  readonly gatewayTransaction: GatewayTransaction;
  readonly outcome: OutcomeEvent;
  readonly label: Label;
}

/** Unknown bytes become a checked value, or a rejection that names the field. */
export function parsePayment(_context: IngestContext, input: RawInput): Outcome<Validated<GatewayTransaction>> {
  return parseInput('gatewayTransaction', input);
}

export function parseOutcome(_context: IngestContext, input: RawInput): Outcome<Validated<OutcomeEvent>> {
  return parseInput('outcome', input);
}

export function parseLabel(_context: IngestContext, input: RawInput): Outcome<Validated<Label>> {
  return parseInput('label', input);
}

function parseInput<Name extends keyof InputTypes>(name: Name, input: RawInput): Outcome<Validated<InputTypes[Name]>> {
  switch (input.format) {
    case 'json':
      return toOutcome(parseJson(name, input.value));
    case 'jsonText':
      return toOutcome(parseJsonText(name, input.bytes));
    case 'avro': {
      const decoded = codecs[name].tryDecode(input.bytes);
      return decoded.ok ? toOutcome(checkBounds(name, decoded.value)) : reject(decoded.code, null, decoded.message);
    }
  }
}

function toOutcome<T>(result: ParseResult<T>): Outcome<Validated<T>> {
  return result.ok ? ok(result.value) : reject(result.code, result.field, result.message);
}
