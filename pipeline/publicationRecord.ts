import type { CompiledConfiguration } from '../operators/configuration.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import type { RuleSetPublication } from '../schemas/types.ts';

export type PublicationStep = Partial<Pick<RuleSetPublication, 'step' | 'replaces' | 'proposalOffset'>>;

/** The record of a configuration's step into force: by default it is published, whatever is in force before. */
export function publicationRecord(
  { definition, sha256, canonicalJson }: CompiledConfiguration,
  by: Pick<RuleSetPublication, 'eventTimeMs' | 'author' | 'reason'>,
  step: PublicationStep = {},
): Extract<LedgerEvent, { readonly kind: 'ruleSetPublication' }> {
  const { eventTimeMs, author, reason } = by;
  const version = definition.ruleSetVersion;
  const published = { step: 'publish', replaces: '', proposalOffset: null } as const;
  return {
    kind: 'ruleSetPublication',
    event: { eventTimeMs, version, sha256, content: canonicalJson, author, reason, ...published, ...step },
  };
}
