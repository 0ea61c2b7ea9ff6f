import { describe, expect, it } from 'vitest';
import type { Posture } from '../../schemas/types.ts';
import { OVERLOAD_AUTHOR, PostureState } from './postureState.ts';

const lockdown: Posture = {
  eventTimeMs: 0,
  riskLevel: 'lockdown',
  degradation: 'full',
  expiresAtMs: null,
  author: 'operator',
  reason: '',
};
const overload: Posture = { ...lockdown, riskLevel: 'normal', degradation: 'noModel', author: OVERLOAD_AUTHOR };

describe('the posture', () => {
  it('ends by itself at its expiry', () => {
    const state = new PostureState();
    state.apply({ ...lockdown, expiresAtMs: 100 });
    expect([99, 100].map((timeMs) => state.riskLevel(timeMs))).toEqual(['lockdown', 'normal']);
  });

  it('keeps what an operator set through overload and its end', () => {
    const state = new PostureState();
    state.apply(lockdown);
    state.apply(overload);
    expect([state.riskLevel(1), state.degradation(1), state.overload]).toEqual(['lockdown', 'noModel', 'noModel']);
    state.apply({ ...overload, degradation: 'full' });
    expect([state.riskLevel(1), state.degradation(1), state.overload]).toEqual(['lockdown', 'full', 'full']);
  });

  it('stays as far down the ladder as an operator put it', () => {
    const state = new PostureState();
    state.apply({ ...lockdown, degradation: 'rulesOnly' });
    state.apply(overload);
    expect(state.degradation(1)).toBe('rulesOnly');
    state.apply({ ...overload, degradation: 'full' });
    expect(state.degradation(1)).toBe('rulesOnly');
  });
});
