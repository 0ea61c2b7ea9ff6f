import { Command, Option } from 'commander';
import { canonicalJson } from '../operators/canonicalJson.ts';
import { compileConfiguration } from '../operators/configuration.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import { otherChanges, ruleChanges, withRaisedVersions } from '../operators/rules/ruleChanges.ts';
import { requireDeployment } from './deployment.ts';
import { numberOption } from './options.ts';
import { publishConfiguration, publishing, standingOf, type PublicationState } from './publication.ts';
import { bringFolder } from './ruleFolder.ts';
import { changeLines } from './ruleTables.ts';
import { configurationInForce, publicationAt, rulesInForce } from './runningRules.ts';
import { withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

interface ChangeOptions extends SluiceAccessOptions {
  readonly reason: string;
  readonly force?: string;
}

interface PublishOptions extends ChangeOptions {
  readonly dryRun?: boolean;
}

/** Why must be said: the ledger keeps it, and the next person reads it. */
function withReason(command: Command): Command {
  return withSluiceOptions(command)
    .requiredOption('--reason <text>', 'why, for the ledger')
    .option('--force <why>', 'even if it gives the review team more alerts a day than it can work off');
}

function forced({ force }: ChangeOptions): { readonly force?: string } {
  return force === undefined ? {} : { force };
}

export function rulesPublishCommand(): Command {
  return withReason(new Command('publish'))
    .description('Put the folder, or some of its rules, into force (where a second person must agree: propose it).')
    .argument('[id...]', 'only these rules; everything else stays as it is in force')
    .option('--dry-run', 'only say what would change')
    .addHelpText(
      'after',
      `
The folder is checked first: what does not compile, or whose examples fail, is not published. A rule that does something else
than before gets its version counted up, and so does the rule set; the folder is brought up to date.`,
    )
    .action(async (ids: readonly string[], options: PublishOptions) => {
      const deployment = await requireDeployment(options.config);
      const { definition } = deployment;
      const ruleSet = await rulesInForce(options);
      const { configuration: before, sha256 } = await publicationAt(options, ruleSet.ledgerOffset);
      const rules = withRaisedVersions(
        before.rules,
        ids.length === 0 ? definition.rules : merged(before, definition, ids),
      );
      const ruleSetVersion =
        ids.length > 0 || ruleSet.versions.includes(definition.ruleSetVersion)
          ? ruleSet.nextVersion
          : definition.ruleSetVersion;
      const after = { ...(ids.length === 0 ? definition : before), rules, ruleSetVersion };
      const lines = changeLines(ruleChanges(before.rules, rules), otherChanges(before, after));
      if (lines.length === 0) {
        process.stdout.write(`Nothing to publish: ${options.config} says what is in force (${ruleSet.version}).\n`);
        return;
      }
      if (options.dryRun === true) {
        process.stdout.write(lines.map((line) => `${line}\n`).join(''));
        process.stdout.write(`This would be rule set ${ruleSetVersion}; nothing has changed.\n`);
        return;
      }
      const compiled = compileConfiguration(after);
      if (!compiled.ok)
        throw new UserError(compiled.problems.map(({ message, code }) => `${message} [${code}]`).join('\n'));
      const content = canonicalJson(after);
      const { reason } = options;
      const state = await publishConfiguration(options, { content, replaces: sha256, reason, ...forced(options) });
      await tell(options, before, state);
    });
}

export function rulesSetCommand(): Command {
  return withReason(new Command('set'))
    .description('Put a rule live, into shadow or off, or change the share of accounts for which it counts.')
    .argument('<id>', 'of the rule')
    .addOption(new Option('--mode <mode>', 'how it counts').choices(['live', 'shadow', 'off']))
    .addOption(numberOption('--rollout <percent>', 'of the accounts; an account stays in when it grows', 0, 100))
    .action(async (id: string, options: ChangeOptions & { readonly mode?: string; readonly rollout?: number }) => {
      const { mode, rollout, reason } = options;
      if (mode === undefined && rollout === undefined)
        throw new UserError('Give --mode, --rollout or both: sluice rules set ID --mode shadow --reason "..."', 2);
      const path = `/v1/rules/${encodeURIComponent(id)}/mode`;
      const body = {
        ...(mode === undefined ? {} : { mode }),
        ...(rollout === undefined ? {} : { rollout }),
        reason,
        ...forced(options),
      };
      await changed(options, { method: 'PUT', path, body });
    });
}

export function rulesRollbackCommand(): Command {
  return withReason(new Command('rollback'))
    .description('Put an earlier version back into force, whole and byte for byte, from the ledger.')
    .argument('[version]', 'of the rule set (default: the one before what is in force)')
    .action(async (version: string | undefined, options: ChangeOptions) => {
      const body = { version: version ?? null, reason: options.reason, ...forced(options) };
      await changed(options, { method: 'POST', path: '/v1/publications/rollback', body });
    });
}

async function changed(options: ChangeOptions, request: Parameters<typeof publishing>[1]): Promise<void> {
  const { configuration: before } = await configurationInForce(options);
  await tell(options, before, await publishing(options, request));
}

/** Says what was published or proposed, and brings the folder up to it. */
async function tell(
  options: SluiceAccessOptions,
  before: ConfigurationDefinition,
  state: PublicationState,
): Promise<void> {
  const { configuration, changes, others } = await publicationAt(options, state.ledgerOffset ?? -1);
  for (const line of changeLines(changes, others)) process.stdout.write(`${line}\n`);
  process.stdout.write(`Rule set ${configuration.ruleSetVersion}, ${standingOf(state)}.\n`);
  process.stdout.write(`${await bringFolder(options.config, before, configuration, state.stage === 'published')}\n`);
}

/** The rules in force with these ones as the folder has them, in the folder's order. */
function merged(
  before: ConfigurationDefinition,
  folder: ConfigurationDefinition,
  ids: readonly string[],
): readonly RuleDefinition[] {
  const isKnown = (id: string): boolean => [...before.rules, ...folder.rules].some((rule) => rule.id === id);
  const unknown = ids.find((id) => !isKnown(id));
  if (unknown !== undefined)
    throw new UserError(
      `No rule '${unknown}' is in the folder or in force; see sluice rules list [SLUICE_RULE_UNKNOWN]`,
    );
  const inForce = new Map(before.rules.map((rule) => [rule.id, rule]));
  const ordered = folder.rules.flatMap((rule) => {
    const held = inForce.get(rule.id);
    inForce.delete(rule.id);
    if (ids.includes(rule.id)) return [rule];
    return held === undefined ? [] : [held];
  });
  return [...ordered, ...[...inForce.values()].filter(({ id }) => !ids.includes(id))];
}
