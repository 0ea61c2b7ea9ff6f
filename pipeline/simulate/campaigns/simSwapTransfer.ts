import { MINUTE_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';

/**
 * Held out of training. The thief has the victim's phone number moved to another SIM, passes every one-time password on a
 * new device at the victim's carrier, and transfers the savings in a few large parts.
 */
export const simSwapTransfer: Campaign = {
  name: 'simSwapTransfer',
  fraud: true,
  meanPayments: 4,
  labelSource: 'customerReport',
  issuerDeclineChance: 0.05,
  plan(scene) {
    const { random, population } = scene;
    const victim = population.pickCustomer(random);
    const device = `d-w${random.bits().toString(36)}`;
    const ip = random.pick(victim.mobileIps);
    return timesFrom(scene, random.integer(2, 6), random.uniform(2, 12) * MINUTE_MS).map((timeMs) => ({
      timeMs,
      draft: paymentDraft({
        type: 'transfer',
        channel: 'bankTransfer',
        amountMinor: amountFrom(random.logNormal(300_000 * victim.income, 0.6), 10_000),
        account: victim.account,
        device,
        ip,
        payee: `p-w${random.bits().toString(36)}`,
        country: victim.country.code,
        authMethods: ['password', 'otp'],
      }),
    }));
  },
};
