import { Command, Option } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import type { EntityName } from '../operators/definitions.ts';
import { SNOOZE_ENTITIES } from '../operators/lists/snoozes.ts';
import { endOf, withReason } from './listsChange.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { textTable } from './textTable.ts';
import { UNTIL_FORMS, untilText } from './untilTime.ts';
import { UserError } from './userError.ts';

const PAGE = 1_000;

export function snoozeCommand(): Command {
  return new Command('snooze')
    .description(
      'Have a rule not count for one account, card and so on, until a time. Decisions still say that it fired, and was snoozed.',
    )
    .addCommand(addCommand())
    .addCommand(endCommand())
    .addCommand(showCommand());
}

type SnoozeOptions = SluiceAccessOptions &
  Readonly<Partial<Record<EntityName, string>>> & { readonly reason: string; readonly until?: string };

function addCommand(): Command {
  const command = new Command('add')
    .description('Snooze a rule from the next payment on.')
    .argument('<rule>', "the rule's id");
  return withReason(withEntities(withSluiceOptions(command)))
    .requiredOption('--until <when>', `when it counts again, within a year: ${UNTIL_FORMS}`)
    .action(async (rule: string, options: SnoozeOptions) => {
      const { entity, id } = entityOf(options);
      const expiresAtMs = endOf(options);
      const body = { rule, entity, id, expiresAtMs, reason: options.reason };
      await askSluice(options, { method: 'POST', path: '/v1/snoozes', body, shape: REPLY_SCHEMAS.Accepted });
      process.stdout.write(`${rule} is snoozed for this ${entity} until ${untilText(expiresAtMs)}.\n`);
    });
}

function endCommand(): Command {
  const command = new Command('end')
    .description('Have the rule count again from the next payment on.')
    .argument('<rule>', "the rule's id");
  return withReason(withEntities(withSluiceOptions(command))).action(async (rule: string, options: SnoozeOptions) => {
    const { entity, id } = entityOf(options);
    const body = { rule, entity, id, reason: options.reason };
    await askSluice(options, { method: 'POST', path: '/v1/snoozes:end', body, shape: REPLY_SCHEMAS.Accepted });
    process.stdout.write(`${rule} counts again for this ${entity}.\n`);
  });
}

function showCommand(): Command {
  const command = new Command('show').description('All snoozes that hold now.');
  return withSluiceOptions(command)
    .option('--json', 'as JSON')
    .action(async (options: SluiceAccessOptions & { readonly json?: boolean }) => {
      const snoozes = await allSnoozes(options);
      if (options.json === true) process.stdout.write(`${JSON.stringify({ snoozes })}\n`);
      else if (snoozes.length === 0) process.stdout.write('No rule is snoozed.\n');
      else {
        const rows = snoozes.map(({ rule, entity, id, expiresAtMs, author, sinceMs, reason }) => [
          ...[rule, entity, id, untilText(expiresAtMs)],
          ...[author, untilText(sinceMs), reason],
        ]);
        const head = ['rule', 'for', 'id', 'until', 'author', 'since', 'reason'];
        process.stdout.write(textTable([head, ...rows], [0, 1, 2, 3, 4, 5, 6]));
      }
    });
}

async function allSnoozes(
  options: SluiceAccessOptions,
): Promise<readonly z.infer<typeof REPLY_SCHEMAS.SnoozePage>['snoozes'][number][]> {
  const snoozes = [];
  let after: string | null = '';
  while (after !== null) {
    const page: z.infer<typeof REPLY_SCHEMAS.SnoozePage> = await askSluice(options, {
      method: 'GET',
      path: `/v1/snoozes?limit=${PAGE}&after=${after}`,
      shape: REPLY_SCHEMAS.SnoozePage,
    });
    snoozes.push(...page.snoozes);
    after = page.next;
  }
  return snoozes;
}

function withEntities(command: Command): Command {
  for (const entity of SNOOZE_ENTITIES)
    command.addOption(
      new Option(`--${entity} <id>`, entity === 'card' ? 'for this card: its token or number' : `for this ${entity}`),
    );
  return command;
}

function entityOf(options: SnoozeOptions): { readonly entity: EntityName; readonly id: string } {
  const given = SNOOZE_ENTITIES.flatMap((entity) => {
    const id = options[entity];
    return id === undefined ? [] : [{ entity, id }];
  });
  const [first, ...others] = given;
  if (first !== undefined && others.length === 0) return first;
  throw new UserError(`say for what: one of ${SNOOZE_ENTITIES.map((entity) => `--${entity}`).join(', ')}`, 2);
}
