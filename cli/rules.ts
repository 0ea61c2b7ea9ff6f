import { Command } from 'commander';
import { closestName } from '../infra/deployment/closestName.ts';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import type { RuleDefinition } from '../operators/definitions.ts';
import { otherChanges, ruleChanges, ruleLines, rulesDiff } from '../operators/rules/ruleChanges.ts';
import { requireDeployment } from './deployment.ts';
import { numberOption } from './options.ts';
import { rulesApproveCommand, rulesProposalsCommand, rulesRejectCommand } from './ruleProposals.ts';
import { rulesBacktestCommand } from './rulesBacktest.ts';
import { groupTable, historyText, ruleTable, timeText } from './ruleTables.ts';
import { rulesPublishCommand, rulesRollbackCommand, rulesSetCommand } from './rulesChange.ts';
import { configurationInForce, publicationHistory, publicationOfVersion, rulesInForce } from './runningRules.ts';
import { withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export function rulesCommand(): Command {
  const command = new Command('rules').description(
    'The rules of a running Sluice: what is in force, what the folder would change, and each step from draft to live and back.',
  );
  for (const each of [
    listCommand(),
    showCommand(),
    diffCommand(),
    testCommand(),
    rulesBacktestCommand(),
    rulesPublishCommand(),
    rulesSetCommand(),
    rulesRollbackCommand(),
    historyCommand(),
    rulesProposalsCommand(),
    rulesApproveCommand(),
    rulesRejectCommand(),
  ])
    command.addCommand(each);
  return command.addHelpText(
    'after',
    `
A rule's way: write it in config/NAME/rules/*.yaml (a draft), sluice rules test, sluice rules diff, sluice rules backtest, then
  sluice rules publish ID                     with mode: shadow, to see what it would catch
  sluice rules set ID --mode live --rollout 5 for 5% of the accounts, then more
  sluice rules set ID --mode off              or, for the whole rule set: sluice rules rollback
Each step is one record in the ledger and takes effect at once, without a restart.`,
  );
}

function listCommand(): Command {
  return withSluiceOptions(new Command('list'))
    .description('The rules in force, and what the folder would change of them.')
    .option('--json', 'the rule set in force as JSON')
    .action(async (options: SluiceAccessOptions & { readonly json?: boolean }) => {
      const ruleSet = await rulesInForce(options);
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(ruleSet, null, 2)}\n`);
        return;
      }
      const { configuration } = await configurationInForce(options);
      const loaded = await loadDeployment(options.config);
      const draft = loaded.ok ? loaded.deployment.definition : null;
      const drafts = draft === null ? null : ruleChanges(ruleSet.rules, draft.rules);
      const groups = groupTable(configuration.policy.ruleGroups ?? [], ruleSet.rules);
      const { version, ledgerOffset, author, reason, sinceMs, approvals } = ruleSet;
      process.stdout.write(
        `${ruleTable(ruleSet.rules, drafts)}\n${groups === '' ? '' : `${groups}\n`}Rule set ${version}, in force since ${timeText(sinceMs)} UTC (ledger offset ` +
          `${String(ledgerOffset)}), by ${author}${reason === '' ? '' : `: ${reason}`}\n` +
          (approvals === 0 ? '' : 'A change needs the approval of a second person: sluice rules proposals\n'),
      );
      if (draft === null || drafts === null) {
        process.stdout.write(`${options.config} has mistakes: see sluice check ${options.config}\n`);
        return;
      }
      const others = otherChanges(configuration, draft);
      const differences = [
        ...(drafts.length === 0 ? [] : [drafts.length === 1 ? '1 rule' : `${String(drafts.length)} rules`]),
        ...others,
      ];
      if (draft.ruleSetVersion !== version) differences.push(`it is called ${draft.ruleSetVersion}`);
      process.stdout.write(
        differences.length === 0
          ? `${options.config} says the same.\n`
          : `${options.config} differs (a draft until it is published): ${differences.join('; ')}\n`,
      );
    });
}

function showCommand(): Command {
  return withSluiceOptions(new Command('show'))
    .description('One rule as it is in force, what the folder would change of it, and who changed it last.')
    .argument('<id>', 'of the rule')
    .action(async (id: string, options: SluiceAccessOptions) => {
      const { rules } = await rulesInForce(options);
      const inForce = rules.find((rule) => rule.id === id);
      const loaded = await loadDeployment(options.config);
      const drafts = loaded.ok ? loaded.deployment.definition.rules.filter((rule) => rule.id === id) : [];
      if (inForce === undefined && drafts.length === 0) throw unknownRule(id, rules, 'is in force');
      const held = inForce === undefined ? [] : [inForce];
      process.stdout.write(inForce === undefined ? `${id} is not in force.\n` : `${ruleLines(inForce).join('\n')}\n`);
      const diff = loaded.ok ? rulesDiff(held, drafts) : '';
      if (diff !== '') process.stdout.write(`\n${options.config} would change it:\n${diff}`);
      const [last] = await publicationHistory(options, { rule: id, limit: 1 });
      if (last !== undefined) process.stdout.write(`\nLast step:\n${historyText([last], id)}`);
    });
}

interface DiffOptions extends SluiceAccessOptions {
  readonly from?: string;
}

function diffCommand(): Command {
  return withSluiceOptions(new Command('diff'))
    .description('What publishing the folder would change; or what has changed since an earlier version.')
    .argument('[id...]', 'only these rules')
    .option('--from <version>', 'compare this version of the rule set with the one in force')
    .action(async (ids: readonly string[], options: DiffOptions) => {
      const inForce = await configurationInForce(options);
      const [before, after] =
        options.from === undefined
          ? [inForce.configuration, (await requireDeployment(options.config)).definition]
          : [(await publicationOfVersion(options, options.from)).configuration, inForce.configuration];
      const [rulesBefore, rulesAfter] = [picked(before.rules, ids), picked(after.rules, ids)];
      const unknown = ids.find((id) => ![...rulesBefore, ...rulesAfter].some((rule) => rule.id === id));
      if (unknown !== undefined) throw unknownRule(unknown, [...before.rules, ...after.rules], 'is on either side');
      const others = ids.length === 0 ? otherChanges(before, after) : [];
      const diff = rulesDiff(rulesBefore, rulesAfter);
      process.stdout.write(
        diff === '' && others.length === 0 ? 'No difference.\n' : diff + others.map((line) => `${line}\n`).join(''),
      );
    });
}

function testCommand(): Command {
  return new Command('test')
    .description("Check the folder: every rule compiles, and every rule's examples turn out as they say.")
    .argument('[id...]', 'tell of these rules only; the whole folder is checked all the same')
    .option('--config <folder>', 'the deployment', 'config/default')
    .action(async (ids: readonly string[], options: { readonly config: string }) => {
      const { definition } = await requireDeployment(options.config);
      process.stdout.write(testText(definition.rules, ids));
    });
}

function testText(rules: readonly RuleDefinition[], ids: readonly string[]): string {
  const unknown = ids.find((id) => !rules.some((rule) => rule.id === id));
  if (unknown !== undefined) throw unknownRule(unknown, rules, 'is in the folder');
  const lines = picked(rules, ids).map(({ id, examples }) => {
    const fires = examples.filter(({ expect }) => expect === 'fires').length;
    const missing = fires === 0 ? 'no example fires' : fires === examples.length ? 'no example stays silent' : '';
    const told = `${id}: ${String(examples.length)} examples hold`;
    return missing === '' ? told : `${told}; ${missing}: add one`;
  });
  return `${lines.join('\n')}\n`;
}

function historyCommand(): Command {
  return withSluiceOptions(new Command('history'))
    .description('Who changed what, when (UTC) and why, newest first; the number is the ledger offset.')
    .argument('[id]', 'only what changed this rule')
    .addOption(numberOption('--last <steps>', 'so many', 1, 1_000).default(20))
    .option('--json', 'as JSON')
    .action(
      async (
        id: string | undefined,
        options: SluiceAccessOptions & { readonly last: number; readonly json?: boolean },
      ) => {
        const rule = id ?? null;
        const publications = await publicationHistory(options, { rule, limit: options.last });
        const text = publications.length === 0 ? 'Nothing is known.\n' : historyText(publications, rule);
        process.stdout.write(options.json === true ? `${JSON.stringify(publications, null, 2)}\n` : text);
      },
    );
}

function picked(rules: readonly RuleDefinition[], ids: readonly string[]): readonly RuleDefinition[] {
  return ids.length === 0 ? rules : rules.filter(({ id }) => ids.includes(id));
}

function unknownRule(id: string, rules: readonly RuleDefinition[], where: string): UserError {
  const closest = closestName(
    id,
    rules.map((rule) => rule.id),
  );
  const hint = closest === undefined ? 'see sluice rules list' : `did you mean ${closest}?`;
  return new UserError(`No rule '${id}' ${where}; ${hint} [SLUICE_RULE_UNKNOWN]`);
}
