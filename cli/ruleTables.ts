import type { z } from 'zod';
import type { RULE_REPLY_SCHEMAS } from '../infra/http/ruleReplySchemas.ts';
import type { RuleDefinition, RuleGroupDefinition } from '../operators/definitions.ts';
import type { RuleChange, RuleStanding } from '../operators/rules/ruleChanges.ts';
import { textTable } from './textTable.ts';

export type RuleSetReply = z.infer<typeof RULE_REPLY_SCHEMAS.RuleSet>;
export type PublicationReply = z.infer<typeof RULE_REPLY_SCHEMAS.PublicationPage>['publications'][number];

/** The rules in force, one a line, with what the folder would change of each. */
export function ruleTable(rules: readonly RuleDefinition[], drafts: readonly RuleChange[] | null): string {
  const isGrouped = rules.some(({ group }) => group !== undefined);
  const draftOf = new Map((drafts ?? []).map((change) => [change.rule, change]));
  const head = [
    'rule',
    'version',
    'mode',
    'rollout',
    'verdict',
    'score',
    ...(isGrouped ? ['group'] : []),
    'owner',
    ...(drafts === null ? [] : ['draft']),
  ];
  const row = ({ id, version, mode, rollout, then, group, owner }: RuleDefinition, draft: string): string[] => [
    ...[id, String(version), mode, `${String(rollout)}%`, then.verdict === 'approve' ? 'points' : then.verdict],
    ...[String(then.score), ...(isGrouped ? [group ?? ''] : []), owner],
    ...(drafts === null ? [] : [draft]),
  ];
  const rows = rules.map((rule) => {
    const draft = draftOf.get(rule.id);
    return row(rule, draft === undefined ? '' : changeText(draft));
  });
  const added = (drafts ?? [])
    .filter(({ from }) => from === null)
    .map((change) => [change.rule, ...head.slice(2).map(() => '-'), changeText(change)]);
  return textTable([head, ...rows, ...added], [0, 2, 4, 6, 7, ...(isGrouped ? [8] : [])]);
}

/** The groups, one a line: how the scores of their rules become points. Empty without any. */
export function groupTable(groups: readonly RuleGroupDefinition[], rules: readonly RuleDefinition[]): string {
  if (groups.length === 0) return '';
  const rows = groups.map(({ id, weight, cap, text }) => [
    ...[id, `${String(weight)}%`, String(cap), String(rules.filter(({ group }) => group === id).length), text.en],
  ]);
  return textTable([['group', 'weight', 'at most', 'rules', ''], ...rows], [0, 4]);
}

/** `card-velocity: mode shadow -> live, rollout 25 -> 100, when`, without the name. */
export function changeText({ from, to, fields }: RuleChange): string {
  if (to === null) return 'removed';
  if (from === null) return `new, ${to.mode}, ${String(to.rollout)}%`;
  const told = (field: keyof RuleStanding): string => `${field} ${String(from[field])} -> ${String(to[field])}`;
  return fields
    .map((field) => (field === 'version' || field === 'mode' || field === 'rollout' ? told(field) : field))
    .join(', ');
}

/** Lines for what a publication changes; `nothing` where it changes nothing. */
export function changeLines(changes: readonly RuleChange[], others: readonly string[]): string[] {
  const lines = changes.map((change) => `${change.rule}: ${changeText(change)}`);
  return [...lines, ...others];
}

/** One line for each step, newest first, and one below it for each change, of one rule or all. */
export function historyText(publications: readonly PublicationReply[], rule: string | null): string {
  const lines = publications.flatMap((publication) => {
    const { ledgerOffset, version, author, reason, timeMs, changes, others } = publication;
    const why = reason === '' ? '' : `: ${reason}`;
    const shown = rule === null ? changeLines(changes, others) : changeLines(ofRule(changes, rule), []);
    const isAnswer = publication.step === 'reject';
    return [
      `${timeText(timeMs)}  ${String(ledgerOffset).padStart(8)}  ${version}  ${effectText(publication)} by ${author}${why}`,
      ...(isAnswer ? [] : shown.slice(0, MAX_CHANGE_LINES).map((line) => `    ${line}`)),
      ...(!isAnswer && shown.length > MAX_CHANGE_LINES ? [`    and ${shown.length - MAX_CHANGE_LINES} more`] : []),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** `2026-11-28 15:04:05`, UTC. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

const MAX_CHANGE_LINES = 8;

function ofRule(changes: readonly RuleChange[], rule: string): readonly RuleChange[] {
  return changes.filter((change) => change.rule === rule);
}

function effectText({ step, effect, proposalOffset }: PublicationReply): string {
  const proposal = String(proposalOffset);
  switch (effect) {
    case 'inForce':
      return step === 'approve' ? `in force, proposal ${proposal} approved` : 'in force';
    case 'open':
      return 'proposed, waits for approval';
    case 'approved':
    case 'rejected':
      return `proposed (later ${effect})`;
    case 'stale':
      return 'proposed (out of date: something else came into force)';
    case 'noted':
      return `proposal ${proposal} rejected`;
    case 'baseGone':
      return 'no effect (something else came into force first)';
    case 'notApproved':
      return 'no effect (it needed a second person)';
    case 'ownProposal':
      return `no effect (approved proposal ${proposal} of their own)`;
    case 'noProposal':
      return `no effect (proposal ${proposal} was not open)`;
    case 'tooMany':
      return 'no effect (too many proposals were open)';
  }
}
