import { Argument, Command, Option } from 'commander';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { endOf, withReason } from './listsChange.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { UNTIL_FORMS, untilText } from './untilTime.ts';

export function postureCommand(): Command {
  return new Command('posture')
    .description(
      'How strict a running Sluice is (normal, elevated, lockdown: whose thresholds apply), and what it leaves out.',
    )
    .addCommand(showCommand())
    .addCommand(setCommand());
}

function showCommand(): Command {
  const command = new Command('show').description('The posture now, who set it, why and until when.');
  return withSluiceOptions(command)
    .option('--json', 'as JSON')
    .action(async (options: SluiceAccessOptions & { readonly json?: boolean }) => {
      const posture = await askSluice(options, { method: 'GET', path: '/v1/posture', shape: REPLY_SCHEMAS.Posture });
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(posture)}\n`);
        return;
      }
      const { riskLevel, degradation, expiresAtMs, author, reason, sinceMs } = posture;
      const set =
        sinceMs === null ? '' : `, set by ${author} at ${untilText(sinceMs)}: ${reason === '' ? '-' : reason}`;
      const end = expiresAtMs === null ? '' : `, until ${untilText(expiresAtMs)}`;
      process.stdout.write(`${riskLevel}, ${degradation}${end}${set}\n`);
    });
}

interface SetOptions extends SluiceAccessOptions {
  readonly reason: string;
  readonly until?: string;
  readonly degradation: string;
}

function setCommand(): Command {
  const command = new Command('set')
    .description('Set the risk level from the next payment on.')
    .addArgument(
      new Argument('<level>', 'whose thresholds apply, as sluice.yaml has them').choices([
        'normal',
        'elevated',
        'lockdown',
      ]),
    );
  return withReason(withSluiceOptions(command))
    .option('--until <when>', `when it returns to normal by itself: ${UNTIL_FORMS}`)
    .addOption(
      new Option('--degradation <step>', 'what is left out of decisions')
        .choices(['full', 'noModel', 'rulesOnly'])
        .default('full'),
    )
    .action(async (riskLevel: string, options: SetOptions) => {
      const expiresAtMs = endOf(options);
      const { degradation, reason } = options;
      const body = { riskLevel, degradation, expiresAtMs, reason };
      await askSluice(options, { method: 'PUT', path: '/v1/posture', body, shape: REPLY_SCHEMAS.Accepted });
      const end = expiresAtMs === null ? '' : ` until ${untilText(expiresAtMs)}`;
      process.stdout.write(`The posture is ${riskLevel}, ${degradation}${end}.\n`);
    });
}
