import type { Certificate, FeatureLine, RuleLine } from '../pipeline/certificate.ts';
import type { DecisionMode, Reason, RuleMode, Verdict } from '../schemas/types.ts';
import { textTable } from './textTable.ts';

const VERDICTS: Readonly<Record<Verdict, string>> = {
  approve: '通过',
  challenge: '验证',
  review: '人工审核',
  decline: '拒绝',
};
const MODES: Readonly<Record<DecisionMode, string>> = {
  full: '完整',
  noModel: '规则（无模型）',
  rulesOnly: '仅规则',
  fallback: '兜底',
};
const RULE_MODES: Readonly<Record<RuleMode, string>> = { live: '生效', shadow: '影子', off: '停用' };
/** Features on the page unless all are asked for: those that moved the model most, and what reasons and rules name. */
const MOST_CONTRIBUTIONS = 10;

/** The certificate as a page to print, English and Chinese side by side. `isWhole`: every feature. */
export function certificatePage(certificate: Certificate, isWhole: boolean): string {
  const sections = [
    payment(certificate),
    verdict(certificate),
    letThrough(certificate),
    reasons(certificate),
    rules(certificate),
    ruleGroups(certificate),
    model(certificate),
    features(certificate, isWhole),
    versions(certificate),
    seal(certificate),
  ];
  return `Decision certificate · 决策证明\n\n${sections.filter((text) => text !== '').join('\n')}`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => columnsOf(name)));
  const lines = rows.map(([name, value]) => `  ${name}${' '.repeat(width - columnsOf(name))}  ${value}\n`);
  return `${title}\n${lines.join('')}`;
}

/** Chinese characters take two columns of a terminal. */
function columnsOf(text: string): number {
  return [...text].reduce((columns, character) => columns + (character > '\u2e7f' ? 2 : 1), 0);
}

function payment({ transaction, decision, ingestTimeMs, source }: Certificate): string {
  const { transactionId, type, channel, amountMinor, currency, eventTimeMs, card, attributes } = transaction;
  const { account, device, ip, merchant, mcc, terminal, payee, country, authMethods } = transaction;
  const entities = Object.entries({ account, device, ip, merchant, mcc, terminal, payee, country }).flatMap(
    ([name, value]): [string, string][] => (value === null ? [] : [[name, value]]),
  );
  return section('Payment · 支付', [
    ['transaction · 交易', transactionId],
    ['amount · 金额', `${amountMinor} ${currency} (minor units · 最小货币单位)`],
    ['kind · 类型', `${type}, ${channel}`],
    ['event time · 发生时间', time(eventTimeMs)],
    ['received · 接收时间', `${time(ingestTimeMs)}, ${source}`],
    ...entities,
    ...(card === null ? [] : ([['card', `${card.token}, ${card.bin ?? '-'} … ${card.last4 ?? '-'}`]] as const)),
    ...(authMethods.length === 0 ? [] : ([['authentication · 认证', authMethods.join(', ')]] as const)),
    ...Object.entries(attributes).map(([name, value]): [string, string] => [`attributes.${name}`, String(value)]),
    ['content hash · 内容哈希', decision.contentHash],
  ]);
}

function verdict({ decision }: Certificate): string {
  const { verdict: given, score, mode, degraded, late, engineTimeMs } = decision;
  return section('Verdict · 决定', [
    ['verdict · 决定', `${given} · ${VERDICTS[given]}`],
    ['score · 评分', `${score} / 1000`],
    ['mode · 模式', `${mode} · ${MODES[mode]}`],
    ...(degraded.length === 0 ? [] : ([['left out · 缺失', degraded.join(', ')]] as const)),
    ['engine time · 引擎时间', `${time(engineTimeMs)}${late ? ' (the payment came too late · 迟到)' : ''}`],
  ]);
}

/** Why a would-be decline was approved: the only place where a person is told. */
function letThrough({ decision }: Certificate): string {
  if (decision.letThrough === null) return '';
  const { verdict: wouldBe, score, percent, reasons: why } = decision.letThrough;
  return (
    section('Let through to measure declines · 为评估拒绝准确率而放行', [
      ['would be · 原应', `${wouldBe} · ${VERDICTS[wouldBe]}, ${score} / 1000`],
      ['share · 放行比例', `${percent}% of such accounts · 此类账户的${percent}%`],
    ]) + `\n${reasonLines('What it would have been for, most severe first · 原应依据（按严重程度）', why)}`
  );
}

function reasons({ decision }: Certificate): string {
  return reasonLines('Reasons, most severe first · 原因（按严重程度）', decision.reasons);
}

function reasonLines(title: string, given: readonly Reason[]): string {
  if (given.length === 0) return 'Reasons · 原因\n  none · 无\n';
  const lines = given.flatMap(({ code, rule, version, list, feature, value, contribution, text }, index) => {
    const from = [
      rule === null ? '' : `rule · 规则 ${rule} v${version ?? ''}`,
      list === null ? '' : `list · 名单 ${list}`,
      feature === null ? '' : `${feature} = ${value ?? 'undefined'}, ${signed(contribution)}`,
    ].filter((part) => part !== '');
    return [
      `  ${index + 1}. ${code}${from.length === 0 ? '' : `  ${from.join(', ')}`}`,
      ...(text === null ? [] : [`     ${text.en}`, `     ${text.zh}`]),
    ];
  });
  return `${title}\n${lines.join('\n')}\n`;
}

function rules({ rulesFired, decision }: Certificate): string {
  const fired = rulesFired.flatMap((line) => ruleLines(line));
  const failed = decision.ruleErrors.map(({ rule, version, message }) => `  ${rule} v${version}: ${message}`);
  return (
    `Rules that fired · 触发的规则\n${fired.length === 0 ? '  none · 无' : fired.join('\n')}\n` +
    (failed.length === 0 ? '' : `\nRules that failed · 出错的规则\n${failed.join('\n')}\n`)
  );
}

function ruleGroups({ ruleGroups: groups, rulesFired, decision }: Certificate): string {
  if (groups.length === 0) return '';
  const lines = groups.map(({ group, points, definition }): readonly [string, string] => {
    if (definition === null) return [group, String(points)];
    const scores = rulesFired
      .filter((line) => line.definition?.group === group && line.mode === 'live' && !line.snoozed)
      .map((line) => String(line.definition?.then.score ?? 0));
    const { weight, cap, text } = definition;
    const sum = `(${scores.join(' + ')}) x ${weight}%, at most · 上限 ${cap}: ${points}`;
    return [group, `${sum}  ${text.en} · ${text.zh}`];
  });
  return section('Rule groups: points · 规则组积分', [...lines, ['together · 合计', `${decision.rulePoints} / 1000`]]);
}

function ruleLines({ rule, version, mode, snoozed, isReason, definition }: RuleLine): string[] {
  const counts = isReason
    ? 'a reason · 列为原因'
    : snoozed
      ? 'snoozed: did not count · 已暂停：未计入'
      : mode === 'live'
        ? 'outdone · 被更强的原因盖过'
        : 'only recorded · 仅记录';
  const head = `  ${rule} v${version}  ${mode} · ${RULE_MODES[mode]}, ${counts}`;
  if (definition === null) return [head];
  const { when, params, text, group, then } = definition;
  const inGroup = group === undefined ? [] : [`     group · 规则组 ${group}, ${then.score}`];
  return [
    head,
    `     ${text.en} · ${text.zh}`,
    `     when ${when.trim()}`,
    `     params ${JSON.stringify(params)}`,
    ...inGroup,
  ];
}

function model({ decision }: Certificate): string {
  const { modelId, modelVersion, modelScore, explanation } = decision;
  if (modelId === null) return 'Model · 模型\n  none · 无\n';
  const rows: (readonly [string, string])[] = [
    ['model · 模型', `${modelId} ${modelVersion ?? ''}`],
    ['probability of fraud · 欺诈概率', String(modelScore)],
  ];
  if (explanation !== null) rows.push(['explained by · 解释方法', explanation.method]);
  if (explanation?.mean !== null && explanation !== null) {
    const added = explanation.contributions.reduce((sum, each) => sum + each, 0);
    const sum = `${explanation.mean.toFixed(4)} ${signed(added)} = ${(explanation.mean + added).toFixed(4)}`;
    rows.push(['mean + contributions = margin · 均值 + 贡献 = 对数几率', sum]);
  }
  return section('Model · 模型', rows);
}

function features(certificate: Certificate, isWhole: boolean): string {
  const all = certificate.features;
  const shown = isWhole ? all : all.filter(isNamedIn(certificate));
  const left = all.length - shown.length;
  const rows = shown.map(({ name, value, contribution, text }) => [
    `  ${name}`,
    value === null ? 'undefined' : String(value),
    contribution === null ? '' : signed(contribution),
    text === null ? '' : `${text.en} · ${text.zh}`,
  ]);
  const more = left > 0 ? `  and ${left} more: --all · 其余 ${left} 项\n` : '';
  return `Features: value, contribution to the model's margin · 特征：取值与贡献\n${textTable(rows, [0, 3])}${more}`;
}

function isNamedIn({ features: all, rulesFired, decision }: Certificate): (line: FeatureLine) => boolean {
  const weights = all.map(({ contribution }) => Math.abs(contribution ?? 0)).sort((a, b) => b - a);
  const least = Math.max(weights[MOST_CONTRIBUTIONS - 1] ?? 0, Number.MIN_VALUE);
  const conditions = rulesFired.map(({ definition }) => definition?.when ?? '').join('\n');
  const named = new Set([...conditions.matchAll(/\bf\.([A-Za-z_]\w*)/g)].map(([, name]) => name));
  for (const { feature } of [...decision.reasons, ...(decision.letThrough?.reasons ?? [])])
    if (feature !== null) named.add(feature);
  return ({ name, contribution }) => named.has(name) || Math.abs(contribution ?? 0) >= least;
}

function versions({ decision, publication, promotion }: Certificate): string {
  const { ruleSet, ruleSetSha256, catalogueSha256, modelSha256 } = decision;
  const rows: (readonly [string, string])[] = [
    ['rule set · 规则集', `${ruleSet}, SHA-256 ${ruleSetSha256}`],
    ['published · 发布', publication === null ? 'not in the ledger · 账本中没有' : change(publication)],
    ['features · 特征目录', `SHA-256 ${catalogueSha256}`],
  ];
  if (modelSha256 !== null) {
    rows.push(['model file · 模型文件', `SHA-256 ${modelSha256}`]);
    rows.push(['promoted · 上线', promotion === null ? 'not in the ledger · 账本中没有' : change(promotion)]);
  }
  return section('Versions in force · 当时的版本', rows);
}

function change({
  ledgerOffset,
  event,
}: {
  readonly ledgerOffset: number;
  readonly event: { readonly eventTimeMs: number; readonly author: string; readonly reason: string };
}): string {
  return `${time(event.eventTimeMs)}, ledger offset ${ledgerOffset}, ${event.author}: ${event.reason}`;
}

function seal({ seal: found, decision }: Certificate): string {
  const offset: readonly [string, string] = ['ledger offset · 账本位置', String(decision.ledgerOffset)];
  if (found === null)
    return section('Seal · 封印', [offset, ['none · 无', 'decided before there was a chain of hashes · 早于哈希链']]);
  const state = found.isIntact
    ? 'record and decision are what was sealed · 记录与决定未被改动'
    : 'NOT what was sealed: run sluice verify · 与封印不符';
  return section('Seal · 封印', [
    offset,
    ['record · 记录', found.recordSha256],
    ['decision · 决定', found.decisionSha256],
    ['chain before · 之前的链', found.before],
    ['chain · 链', found.chainSha256],
    ['checked · 核对', state],
  ]);
}

function signed(value: number | null): string {
  return value === null ? '' : `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`;
}

function time(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
