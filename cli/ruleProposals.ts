import { Command } from 'commander';
import { publishing, standingOf } from './publication.ts';
import { bringFolder } from './ruleFolder.ts';
import { changeLines, historyText } from './ruleTables.ts';
import { configurationInForce, openProposals, publicationAt } from './runningRules.ts';
import { withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UserError } from './userError.ts';

export function rulesProposalsCommand(): Command {
  return withSluiceOptions(new Command('proposals'))
    .description('What waits for the approval of a second person; with an id: all that it changes.')
    .argument('[id]', 'of a proposal')
    .action(async (id: string | undefined, options: SluiceAccessOptions) => {
      if (id !== undefined) {
        const { diff, others } = await publicationAt(options, proposalOffset(id));
        process.stdout.write(diff + others.map((line) => `${line}\n`).join(''));
        return;
      }
      const open = await openProposals(options);
      process.stdout.write(
        open.length === 0
          ? 'No proposal waits.\n'
          : `${historyText(open, null)}\nSee one whole: sluice rules proposals ID; then sluice rules approve ID, or reject ID.\n`,
      );
    });
}

export function rulesApproveCommand(): Command {
  return withSluiceOptions(new Command('approve'))
    .description('Put a proposal into force. Its author cannot: it takes a second person, with a key of their own.')
    .argument('<id>', 'of the proposal')
    .option('--reason <text>', 'why, for the ledger', '')
    .action(async (id: string, options: AnswerOptions) => {
      const before = await configurationInForce(options);
      const state = await answered(options, id, 'approve');
      const { configuration, changes, others } = await publicationAt(options, state.ledgerOffset ?? -1);
      for (const line of changeLines(changes, others)) process.stdout.write(`${line}\n`);
      process.stdout.write(`Rule set ${configuration.ruleSetVersion}, ${standingOf(state)}.\n`);
      process.stdout.write(`${await bringFolder(options.config, before.configuration, configuration, true)}\n`);
    });
}

export function rulesRejectCommand(): Command {
  return withSluiceOptions(new Command('reject'))
    .description('End a proposal without effect.')
    .argument('<id>', 'of the proposal')
    .requiredOption('--reason <text>', 'why, for the ledger')
    .action(async (id: string, options: AnswerOptions) => {
      await answered(options, id, 'reject');
      process.stdout.write(`Proposal ${id} is rejected; what is in force has not changed.\n`);
    });
}

interface AnswerOptions extends SluiceAccessOptions {
  readonly reason: string;
}

function answered(options: AnswerOptions, id: string, answer: 'approve' | 'reject'): ReturnType<typeof publishing> {
  const path = `/v1/proposals/${String(proposalOffset(id))}/${answer}`;
  return publishing(options, { method: 'POST', path, body: { reason: options.reason } });
}

function proposalOffset(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new UserError(`A proposal is called by a whole number, as sluice rules proposals tells it, not '${id}'.`, 2);
}
