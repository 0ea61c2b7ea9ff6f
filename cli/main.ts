#!/usr/bin/env node
import { Command } from 'commander';
import { checkCommand } from './check.ts';
import { declinesCommand } from './declines.ts';
import { decisionCommand } from './decision.ts';
import { demoCommand } from './demo.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export.ts';
import { featuresCommand } from './features.ts';
import { importCommand } from './import.ts';
import { keyCommand } from './key.ts';
import { listsCommand } from './lists.ts';
import { postureCommand } from './posture.ts';
import { modelsCommand } from './models.ts';
import { queryCommand } from './query.ts';
import { replayCommand } from './replay.ts';
import { rulesCommand } from './rules.ts';
import { simulateCommand } from './simulate.ts';
import { skewCommand } from './skew.ts';
import { snoozeCommand } from './snooze.ts';
import { stateCommand } from './state.ts';
import { upCommand } from './up.ts';
import { explainError, UserError } from './userError.ts';
import { verifyCommand } from './verify.ts';
import { version } from './version.ts';

const program = new Command('sluice')
  .description('Decides on payments while they happen: features, rules and a model, one verdict with its reasons.')
  .version(version)
  .showHelpAfterError('(see sluice --help)')
  .addHelpText(
    'after',
    `
Start here:
  sluice demo                          everything at once, with simulated gateways
  sluice up --config config/default    the real thing; sluice key makes a gateway's key
  sluice check config/default          after every change of rules, features or settings

Exit codes: 0 done, 1 a problem that the output explains, 2 wrong usage.`,
  );

program.exitOverride((error) => {
  process.exit(error.exitCode === 0 ? 0 : 2);
});
for (const command of [
  upCommand(),
  demoCommand(),
  checkCommand(),
  importCommand(),
  replayCommand(),
  verifyCommand(),
  simulateCommand(),
  exportCommand(),
  queryCommand(),
  decisionCommand(),
  declinesCommand(),
  featuresCommand(),
  rulesCommand(),
  listsCommand(),
  snoozeCommand(),
  postureCommand(),
  modelsCommand(),
  explainCommand(),
  skewCommand(),
  stateCommand(),
  keyCommand(),
]) {
  command.copyInheritedSettings(program);
  program.addCommand(command);
}

try {
  await program.parseAsync();
  // A command is done when its action is: what libraries keep open must not hold the process.
  process.exit();
} catch (error) {
  const { line, isExpected } = explainError(error);
  process.stderr.write(`sluice: ${line}\n`);
  if (!isExpected) {
    process.stderr.write(
      'sluice: this is a defect. Run again with SLUICE_DEBUG=1 for the details to put into a report.\n',
    );
    if (process.env['SLUICE_DEBUG'] !== undefined && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`);
  }
  process.exit(error instanceof UserError ? error.exitCode : 1);
}
