import type { VerdictReply } from '../../pipeline/gateway.ts';
import type { Reason } from '../../schemas/types.ts';

/**
 * A verdict as JSON (DESIGN section 4): a reason's null fields are left out, so are numbers that JSON cannot hold.
 * Written out by hand because it is on the path of every payment; a property test holds it to JSON.stringify.
 */
export function verdictJson(verdict: VerdictReply): string {
  return (
    `{"transactionId":${JSON.stringify(verdict.transactionId)},"verdict":"${verdict.verdict}","score":${verdict.score}` +
    `,"status":"${verdict.status}","mode":"${verdict.mode}","degraded":${stringsJson(verdict.degraded)}` +
    `,"reasons":${reasonsJson(verdict.reasons)},"ruleSet":${JSON.stringify(verdict.ruleSet)},"model":${modelJson(verdict)}` +
    `,"ledgerOffset":${verdict.ledgerOffset}}`
  );
}

function reasonsJson(reasons: readonly Reason[]): string {
  if (reasons.length === 0) return '[]';
  let json = '[';
  for (const reason of reasons) {
    if (json.length > 1) json += ',';
    json += `{"code":${JSON.stringify(reason.code)}`;
    if (reason.rule !== null) json += `,"rule":${JSON.stringify(reason.rule)}`;
    if (reason.version !== null) json += `,"version":${reason.version}`;
    if (reason.list !== null) json += `,"list":${JSON.stringify(reason.list)}`;
    if (reason.feature !== null) json += `,"feature":${JSON.stringify(reason.feature)}`;
    if (isJsonNumber(reason.contribution)) json += `,"contribution":${reason.contribution}`;
    if (isJsonNumber(reason.value)) json += `,"value":${reason.value}`;
    if (reason.text !== null) {
      json += `,"text":{"en":${JSON.stringify(reason.text.en)},"zh":${JSON.stringify(reason.text.zh)}}`;
    }
    json += '}';
  }
  return json + ']';
}

function stringsJson(strings: readonly string[]): string {
  return strings.length === 0 ? '[]' : JSON.stringify(strings);
}

function modelJson(verdict: VerdictReply): string {
  const { model } = verdict;
  return model === null ? 'null' : `{"id":${JSON.stringify(model.id)},"version":${JSON.stringify(model.version)}}`;
}

function isJsonNumber(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
