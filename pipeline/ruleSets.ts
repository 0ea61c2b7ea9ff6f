import type { KnownModel } from './engine/modelRoster.ts';
import { setImmediate } from 'node:timers/promises';
import { canonicalJson } from '../operators/canonicalJson.ts';
import { parseConfiguration, type CompiledConfiguration } from '../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import { otherChanges, ruleChanges, rulesDiff, withRaisedVersions, withRules } from '../operators/rules/ruleChanges.ts';
import { nextRuleSetVersion } from '../operators/rules/ruleSetVersion.ts';
import type { PublicationEntry, PublicationLog } from './engine/publicationLog.ts';
import type { Refusal, RuleSetChange } from './gateway.ts';
import { LoopHolds } from './loopHolds.ts';
import { checkPublication } from './publicationCheck.ts';
import { publicationContent, type LedgerReader } from './publicationContent.ts';
import type {
  PublicationDetails,
  PublicationPage,
  PublicationSummary,
  RuleSetInForce,
  RuleTest,
} from './ruleSetViews.ts';

export interface RuleSetServices extends LedgerReader {
  configuration(): CompiledConfiguration | null;
  models(): readonly KnownModel[];
  log(): PublicationLog;
}

/** What a change would publish; the configuration that it was made from is the one in force. */
export interface PlannedChange {
  readonly content: string;
  readonly replaces: string;
}

/** Steps looked through for a page of one rule's history: each takes the reading of two configurations. */
const MAX_SCANNED_STEPS = 200;

/** What people ask about the rule sets of a running Sluice: the one in force, those before it, and what a change would do. */
export class RuleSets {
  readonly #services: RuleSetServices;

  constructor(services: RuleSetServices) {
    this.#services = services;
  }

  inForce(): RuleSetInForce | null {
    const configuration = this.#services.configuration();
    const log = this.#services.log();
    const entry = log.entry(log.inForceOffset);
    if (configuration === null || entry === undefined) return null;
    const { version, sha256, ledgerOffset, author, reason, eventTimeMs } = entry;
    const versions = [...new Set(log.entries.map((each) => each.version))];
    return {
      ...{ version, sha256, ledgerOffset, author, reason, sinceMs: eventTimeMs },
      approvals: log.approvals,
      nextVersion: nextRuleSetVersion(version, versions),
      versions,
      rules: configuration.definition.rules,
    };
  }

  /** Newest first, from before a ledger offset; of one rule: the steps that changed it. */
  async history(options: {
    readonly before: number | null;
    readonly limit: number;
    readonly rule: string | null;
  }): Promise<PublicationPage> {
    const { before, limit, rule } = options;
    const entries = this.#services.log().entries.filter(({ ledgerOffset }) => before === null || ledgerOffset < before);
    const publications: PublicationSummary[] = [];
    let scanned = 0;
    for (const entry of entries.toReversed()) {
      if (publications.length === limit || scanned === MAX_SCANNED_STEPS) break;
      scanned += 1;
      const summary = await this.#summary(entry);
      if (rule === null || summary.changes.some((change) => change.rule === rule)) publications.push(summary);
    }
    const next = scanned < entries.length ? (entries.at(-scanned)?.ledgerOffset ?? null) : null;
    return { publications, next };
  }

  async proposals(): Promise<readonly PublicationSummary[]> {
    const open: PublicationSummary[] = [];
    for (const entry of this.#services.log().entries)
      if (entry.effect === 'open') open.push(await this.#summary(entry));
    return open;
  }

  async details(ledgerOffset: number): Promise<PublicationDetails | undefined> {
    const entry = this.#services.log().entry(ledgerOffset);
    if (entry === undefined) return undefined;
    const configuration = await this.#definition(entry.step === 'reject' ? entry.proposalOffset : ledgerOffset);
    const before = await this.#before(entry);
    if (configuration === null) return undefined;
    const diff = rulesDiff(before?.rules ?? [], configuration.rules);
    return { ...summaryOf(entry, before, configuration), configuration, diff };
  }

  /** The configuration that the change makes of the one in force, under a version of its own; a rollback's is the one it had. */
  async plan(change: RuleSetChange): Promise<PlannedChange | Refusal> {
    const inForce = this.#services.configuration();
    if (inForce === null) return { code: 'SLUICE_NOT_READY', field: null, message: 'no rule set is in force yet' };
    const replaces = inForce.sha256;
    if (change.kind === 'rollback') {
      const entry = this.#earlier(change.version);
      if ('code' in entry) return entry;
      const content = await publicationContent(this.#services, entry.ledgerOffset);
      if (content === null) throw new Error(`the ledger has no publication at offset ${String(entry.ledgerOffset)}`);
      return { content, replaces };
    }
    const { definition } = inForce;
    const rules =
      change.kind === 'set' ? withSetting(definition.rules, change) : changedRules(definition.rules, change);
    if ('code' in rules) return rules;
    const versions = this.#services.log().entries.map(({ version }) => version);
    const ruleSetVersion = nextRuleSetVersion(definition.ruleSetVersion, versions);
    return { content: canonicalJson({ ...definition, rules, ruleSetVersion }), replaces };
  }

  /** A configuration as it would be published, compiled; the first thing that is wrong with it. */
  async compile(content: string): Promise<CompiledConfiguration | Refusal> {
    const ground = { inForce: this.#services.configuration(), models: this.#services.models() };
    const checked = await checkPublication(content, ground, new LoopHolds());
    return checked.ok ? checked.configuration : checked.refusals[0];
  }

  /** What a change would do, without doing it. */
  async test(change: RuleSetChange): Promise<RuleTest | Refusal> {
    const inForce = this.#services.configuration();
    const planned = await this.plan(change);
    if ('code' in planned || inForce === null) {
      return 'code' in planned
        ? planned
        : { code: 'SLUICE_NOT_READY', field: null, message: 'no rule set is in force' };
    }
    const ground = { inForce, models: this.#services.models() };
    const checked = await checkPublication(planned.content, ground, new LoopHolds());
    const after = parseConfiguration(planned.content);
    const rules = after.ok ? after.value.rules : [];
    return {
      problems: checked.ok ? [] : checked.refusals,
      changes: ruleChanges(inForce.definition.rules, rules),
      others: after.ok ? otherChanges(inForce.definition, after.value) : [],
      diff: rulesDiff(inForce.definition.rules, rules),
    };
  }

  /** The newest publication of this version that decided; null: the one that decided before what is in force ever did. */
  #earlier(version: string | null): PublicationEntry | Refusal {
    const log = this.#services.log();
    const decided = log.entries.filter(({ effect }) => effect === 'inForce');
    const sha256 = decided.at(-1)?.sha256;
    const first = decided.findIndex((entry) => entry.sha256 === sha256);
    const found = version === null ? decided[first - 1] : decided.findLast((entry) => entry.version === version);
    if (found !== undefined) return found;
    const message =
      version === null
        ? 'nothing was in force before what is now'
        : `no version ${version} was ever in force; see sluice rules history`;
    return { code: 'SLUICE_VERSION_UNKNOWN', field: 'version', message };
  }

  async #summary(entry: PublicationEntry): Promise<PublicationSummary> {
    const configuration = await this.#definition(entry.step === 'reject' ? entry.proposalOffset : entry.ledgerOffset);
    const before = await this.#before(entry);
    return summaryOf(entry, before, configuration);
  }

  /** What was in force when the step came. */
  async #before({ ledgerOffset, step, proposalOffset }: PublicationEntry): Promise<ConfigurationDefinition | null> {
    const at = step === 'reject' ? (proposalOffset ?? ledgerOffset) : ledgerOffset;
    const before = this.#services
      .log()
      .entries.findLast((entry) => entry.effect === 'inForce' && entry.ledgerOffset < at);
    return before === undefined ? null : this.#definition(before.ledgerOffset);
  }

  async #definition(ledgerOffset: number | null): Promise<ConfigurationDefinition | null> {
    if (ledgerOffset === null) return null;
    const content = await publicationContent(this.#services, ledgerOffset);
    // Reading one takes a millisecond or so: payments have their turn in between.
    await setImmediate();
    const parsed = content === null ? null : parseConfiguration(content);
    return parsed?.ok === true ? parsed.value : null;
  }
}

function summaryOf(
  entry: PublicationEntry,
  before: ConfigurationDefinition | null,
  after: ConfigurationDefinition | null,
): PublicationSummary {
  const { eventTimeMs, ...fields } = entry;
  return {
    ...fields,
    timeMs: eventTimeMs,
    changes: after === null ? [] : ruleChanges(before?.rules ?? [], after.rules),
    others: after === null || before === null ? [] : otherChanges(before, after),
  };
}

type Setting = Extract<RuleSetChange, { readonly kind: 'set' }>;
type Replacement = Extract<RuleSetChange, { readonly kind: 'rules' }>;

function withSetting(
  rules: readonly RuleDefinition[],
  { rule: id, mode, rollout }: Setting,
): readonly RuleDefinition[] | Refusal {
  const rule = rules.find((each) => each.id === id);
  if (rule === undefined) return unknownRule(id);
  return withRules(rules, [{ ...rule, mode: mode ?? rule.mode, rollout: rollout ?? rule.rollout }]);
}

function changedRules(
  rules: readonly RuleDefinition[],
  { rules: changed, removed }: Replacement,
): readonly RuleDefinition[] | Refusal {
  const unknown = removed.find((id) => !rules.some((rule) => rule.id === id));
  if (unknown !== undefined) return unknownRule(unknown);
  return withRaisedVersions(rules, withRules(rules, changed, removed));
}

function unknownRule(id: string): Refusal {
  return { code: 'SLUICE_RULE_UNKNOWN', field: 'rule', message: `no rule '${id}' is in force; see sluice rules list` };
}
