import { Command, Option } from 'commander';
import { createApiKey } from '../infra/http/apiKeys.ts';
import { UserError } from './userError.ts';

export function keyCommand(): Command {
  return new Command('key')
    .description('Make an API key: printed once, and its entry for sluice.yaml, which holds only the hash.')
    .argument('<id>', 'who will use it, e.g. web-shop; named in the ledger as the source of its payments')
    .addOption(
      new Option('--role <role>', 'what it may do')
        .choices(['gateway', 'analyst', 'alerting', 'operator'])
        .default('gateway'),
    )
    .option('--json', 'key and entry as JSON')
    .action((id: string, options: { readonly role: string; readonly json?: boolean }) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) {
        throw new UserError('The id must be 1 to 64 letters, digits, dots, dashes or underscores.', 2);
      }
      const { key, sha256 } = createApiKey();
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify({ key, entry: { id, sha256, role: options.role } })}\n`
          : `The key, shown only now:\n  ${key}\n\nIts entry under apiKeys in sluice.yaml:\n  - { id: ${id}, sha256: ${sha256}, role: ${options.role} }\n`,
      );
    });
}
