import type { DeadLetter, DeadLetterSubject } from '../../schemas/types.ts';
import { holdsCardNumber, maskBytes, maskCardNumbers } from '../cardNumbers.ts';
import type { RawInput, Refusal, Sender } from '../gateway.ts';

/** Longest body kept of a refused input, in characters (of base64, for Avro). */
const MAX_BODY_LENGTH = 8192;

/** What is kept of an input that was refused: why, and its content with card numbers masked. */
export function deadLetterOf(
  sender: Sender,
  receivedAtMs: number,
  subject: DeadLetterSubject,
  input: RawInput,
  refusal: Refusal,
  transactionId: string | null,
): DeadLetter {
  const body = maskedBody(input);
  return {
    eventTimeMs: receivedAtMs,
    subject,
    code: refusal.code,
    field: refusal.field === null ? null : maskCardNumbers(refusal.field).slice(0, 128),
    message: maskCardNumbers(refusal.message).slice(0, 512),
    transactionId:
      transactionId !== null && !holdsCardNumber(transactionId) ? transactionId : claimedTransactionId(input),
    contentType: maskCardNumbers(sender.contentType).slice(0, 128),
    body: body.slice(0, MAX_BODY_LENGTH),
    truncated: body.length > MAX_BODY_LENGTH,
  };
}

/** Masked before the last cut, with so much to spare that a number which begins before it is still whole. */
const MASKED_LENGTH = MAX_BODY_LENGTH + 1_024;

/** Masking costs up to 2 us a character: only what may be kept is masked. */
function maskedBody(input: RawInput): string {
  switch (input.format) {
    case 'jsonText':
      return maskCardNumbers(input.bytes.subarray(0, MASKED_LENGTH).toString('utf8'));
    case 'json':
      return maskCardNumbers(JSON.stringify(input.value).slice(0, MASKED_LENGTH));
    case 'avro':
      return maskBytes(input.bytes.subarray(0, MASKED_LENGTH)).toString('base64');
  }
}

function claimedTransactionId(input: RawInput): string | null {
  const value = input.format === 'json' ? input.value : null;
  if (typeof value !== 'object' || value === null || !('transactionId' in value)) return null;
  const id = value.transactionId;
  return typeof id === 'string' && id.length >= 1 && id.length <= 64 && !holdsCardNumber(id) ? id : null;
}
