import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RawInput, TransactionAnswer } from '../../pipeline/gateway.ts';
import { answerAccepted, answerHttpError, answerJson, senderOf, type HttpContext } from './httpContext.ts';
import { HttpError, httpError, refusalJson } from './httpError.ts';
import { verdictJson } from './verdictJson.ts';
import type { Handler } from './addRoute.ts';

/** The handlers of what gateways send. They pass on bytes: parsing, dead letters and duplicates are the pipeline's. */
export function paymentHandlers(context: HttpContext): {
  readonly submitTransaction: Handler;
  readonly submitBatch: Handler;
  readonly findVerdict: Handler;
  readonly submitOutcome: Handler;
  readonly submitLabel: Handler;
} {
  const { gateway, admission, settings } = context;

  async function submitTransaction(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const input = rawInput(request);
    const enteredMs = performance.now();
    if (!admission.tryEnter(1, enteredMs)) throw httpError('tooMany');
    let answer: TransactionAnswer;
    try {
      answer = await gateway.submitTransaction(input, senderOf(request.apiKey, request.headers['content-type']));
    } finally {
      admission.leave(1, enteredMs, performance.now());
    }
    if (answer.kind === 'verdict') return answerJson(reply, 200, verdictJson(answer.verdict));
    return answerHttpError(reply, refusalOf(answer));
  }

  async function submitBatch(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const text = bodyOf(request).toString('utf8');
    const sender = senderOf(request.apiKey, request.headers['content-type']);
    const envelope = parseEnvelope(text, settings.maxBatch);
    if (!envelope.ok) {
      // As a JSON string the body can never be taken for a payment: the gateway keeps it as one dead letter.
      await gateway.submitTransaction({ format: 'json', value: text }, sender);
      throw new HttpError(400, { code: 'SLUICE_HTTP_BATCH', field: envelope.field, message: envelope.message });
    }
    const { transactions } = envelope;
    const enteredMs = performance.now();
    if (!admission.tryEnter(transactions.length, enteredMs)) throw httpError('tooMany');
    let answers: readonly TransactionAnswer[];
    try {
      // All at once: they share the ledger's next group commits.
      answers = await Promise.all(
        transactions.map((value) => gateway.submitTransaction({ format: 'json', value }, sender)),
      );
    } finally {
      admission.leave(transactions.length, enteredMs, performance.now());
    }
    return answerJson(reply, 200, `{"results":[${answers.map(resultJson).join(',')}]}`);
  }

  async function findVerdict(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const verdict = await gateway.findVerdict(pathParameter(request, 'transactionId'));
    if (verdict === undefined) {
      throw new HttpError(404, {
        code: 'SLUICE_TRANSACTION_UNKNOWN',
        field: 'transactionId',
        message: 'no verdict is known for this transaction id',
      });
    }
    return answerJson(reply, 200, verdictJson(verdict));
  }

  return {
    submitTransaction,
    submitBatch,
    findVerdict,
    submitOutcome: async (request, reply) =>
      answerAccepted(
        reply,
        await gateway.submitOutcome(rawInput(request), senderOf(request.apiKey, request.headers['content-type'])),
      ),
    submitLabel: async (request, reply) =>
      answerAccepted(
        reply,
        await gateway.submitLabel(rawInput(request), senderOf(request.apiKey, request.headers['content-type'])),
      ),
  };
}

/** A path parameter, decoded; '' when the route has none of this name. */
export function pathParameter(request: FastifyRequest, name: string): string {
  const { params } = request;
  if (typeof params !== 'object' || params === null) return '';
  const value: unknown = Reflect.get(params, name);
  return typeof value === 'string' ? value : '';
}

function bodyOf(request: FastifyRequest): Buffer {
  if (!Buffer.isBuffer(request.body)) throw httpError('contentType');
  return request.body;
}

function rawInput(request: FastifyRequest): RawInput {
  const bytes = bodyOf(request);
  const isAvro = request.headers['content-type']?.toLowerCase().startsWith('avro/binary') ?? false;
  return { format: isAvro ? 'avro' : 'jsonText', bytes };
}

function refusalOf(answer: Exclude<TransactionAnswer, { readonly kind: 'verdict' }>): HttpError {
  switch (answer.kind) {
    case 'conflict':
      return new HttpError(409, answer.refusal);
    case 'rejected':
      return new HttpError(400, answer.refusal);
    case 'unavailable':
      return new HttpError(503, answer.refusal, answer.retryAfterSeconds);
  }
}

function resultJson(answer: TransactionAnswer): string {
  if (answer.kind === 'verdict') return `{"status":200,"verdict":${verdictJson(answer.verdict)}}`;
  const error = refusalOf(answer);
  return `{"status":${error.status},"error":${refusalJson(error)}}`;
}

type Envelope =
  | { readonly ok: true; readonly transactions: readonly unknown[] }
  | { readonly ok: false; readonly field: string | null; readonly message: string };

function parseEnvelope(text: string, maxBatch: number): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, field: null, message: 'the body is not well-formed JSON' };
  }
  if (typeof value !== 'object' || value === null || !('transactions' in value)) {
    return { ok: false, field: 'transactions', message: 'the body must be {"transactions": [...]}' };
  }
  const { transactions } = value;
  if (!Array.isArray(transactions) || transactions.length === 0) {
    return { ok: false, field: 'transactions', message: 'must be a list of at least one transaction' };
  }
  if (transactions.length > maxBatch) {
    return { ok: false, field: 'transactions', message: `a batch holds at most ${maxBatch} transactions` };
  }
  return { ok: true, transactions };
}
