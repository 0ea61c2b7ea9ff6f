import { describe, expect, it } from 'vitest';
import { MemoryState } from '../../operators/testing/memoryState.ts';
import type { RuleSetPublication } from '../../schemas/types.ts';
import { MAX_ENTRIES, MAX_OPEN_PROPOSALS, PublicationLog } from './publicationLog.ts';

function step(given: Partial<RuleSetPublication>): RuleSetPublication {
  return {
    eventTimeMs: 1,
    version: 'v',
    sha256: 'first',
    content: '{}',
    author: 'ann',
    reason: '',
    step: 'publish',
    replaces: '',
    proposalOffset: null,
    ...given,
  };
}

/** Applies the steps at offsets 0, 1, 2 and so on; approvals are asked for from the first on. */
function logOf(approvals: number, ...steps: readonly Partial<RuleSetPublication>[]): PublicationLog {
  const log = new PublicationLog();
  for (const [offset, given] of steps.entries()) if (log.apply(offset, step(given))) log.tookEffect(approvals);
  return log;
}

const effects = ({ entries }: PublicationLog): string[] => entries.map(({ effect }) => effect);

describe('a publication', () => {
  it('is in force, whatever was before, unless it says what it replaces', () => {
    const log = logOf(0, {}, { sha256: 'second' }, { sha256: 'third', replaces: 'second' });
    expect(effects(log)).toEqual(['inForce', 'inForce', 'inForce']);
    expect(log.inForceOffset).toBe(2);
  });

  it('has no effect when another came into force first', () => {
    const log = logOf(0, {}, { sha256: 'second', replaces: 'first' }, { sha256: 'third', replaces: 'first' });
    expect(effects(log)).toEqual(['inForce', 'inForce', 'baseGone']);
    expect(log.inForceOffset).toBe(1);
  });

  it('has no effect where a second person is asked for', () => {
    expect(effects(logOf(1, {}, { sha256: 'second' }))).toEqual(['inForce', 'notApproved']);
  });
});

describe('a proposal', () => {
  const proposal = { step: 'propose', sha256: 'second', replaces: 'first' } as const;
  const approval = { step: 'approve', sha256: 'second', proposalOffset: 1 } as const;

  it('is in force once somebody else approves it', () => {
    const log = logOf(1, {}, proposal, { ...approval, author: 'bob' });
    expect(effects(log)).toEqual(['inForce', 'approved', 'inForce']);
    expect(log.inForceOffset).toBe(2);
  });

  it('is not by its author, nor with other content, nor twice, nor where there is none', () => {
    const log = logOf(
      1,
      {},
      proposal,
      approval,
      { ...approval, author: 'bob', sha256: 'third' },
      { ...approval, author: 'bob', proposalOffset: 0 },
      { ...approval, author: 'bob' },
      { ...approval, author: 'cid' },
    );
    expect(effects(log).slice(2)).toEqual(['ownProposal', 'noProposal', 'noProposal', 'inForce', 'noProposal']);
  });

  it('is out of date once another comes into force', () => {
    const other = { ...proposal, sha256: 'third' };
    const log = logOf(1, {}, proposal, other, { ...approval, author: 'bob' });
    expect(effects(log)).toEqual(['inForce', 'approved', 'stale', 'inForce']);
    expect(log.apply(4, step({ ...approval, sha256: 'third', proposalOffset: 2, author: 'bob' }))).toBe(false);
    expect(log.apply(5, step(other))).toBe(false);
    expect(effects(log).slice(4)).toEqual(['noProposal', 'stale']);
  });

  it('can be rejected, by its author too, and not be approved then', () => {
    const rejection = { step: 'reject', proposalOffset: 1, sha256: 'second', content: '' } as const;
    const log = logOf(1, {}, proposal, rejection, rejection, { ...approval, author: 'bob' });
    expect(effects(log)).toEqual(['inForce', 'rejected', 'noted', 'noProposal', 'noProposal']);
  });

  it('is refused where too many are open', () => {
    const log = logOf(1, {}, ...Array.from({ length: MAX_OPEN_PROPOSALS + 1 }, () => proposal));
    expect(effects(log).at(-1)).toBe('tooMany');
    expect(effects(log).filter((effect) => effect === 'open')).toHaveLength(MAX_OPEN_PROPOSALS);
  });
});

describe('the log', () => {
  it('forgets the oldest, but never what is in force or open', () => {
    const log = logOf(1, {}, { step: 'propose', sha256: 'second', replaces: 'first' });
    for (let offset = 2; offset < MAX_ENTRIES + 500; offset++)
      log.apply(offset, step({ step: 'reject', proposalOffset: 9_999 }));
    expect(log.entries).toHaveLength(MAX_ENTRIES);
    expect(effects(log).slice(0, 3)).toEqual(['inForce', 'open', 'noProposal']);
    expect(log.apply(9_000, step({ step: 'approve', sha256: 'second', proposalOffset: 1, author: 'bob' }))).toBe(true);
  });

  it('is the same after it was saved and loaded', () => {
    const log = logOf(1, {}, { step: 'propose', sha256: 'second', replaces: 'first', reason: '原因' });
    const state = new MemoryState();
    log.save(state);
    const loaded = new PublicationLog();
    loaded.load(state.read());
    expect([loaded.entries, loaded.inForceOffset, loaded.approvals]).toEqual([log.entries, 0, 1]);
    expect(loaded.apply(2, step({ sha256: 'third' }))).toBe(false);
  });
});
