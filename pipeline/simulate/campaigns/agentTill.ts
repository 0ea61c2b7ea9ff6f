import { MINUTE_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';

/** Honest, but like device velocity: a shop's or an agent's tablet on which one customer after another pays. */
export const agentTill: Campaign = {
  name: 'agentTill',
  fraud: false,
  meanPayments: 25,
  labelSource: 'review',
  issuerDeclineChance: 0.02,
  plan(scene) {
    const { random, population } = scene;
    const device = `d-k${random.integer(0, Math.ceil(population.size / 1_000)).toString(36)}`;
    const country = population.pickCustomer(random).country.code;
    const merchant = population.pickPhysicalMerchant(random, country);
    const ip = random.pick(population.pickCustomer(random).mobileIps);
    return timesFrom(scene, random.integer(10, 40), random.uniform(1, 6) * MINUTE_MS).map((timeMs) => ({
      timeMs,
      draft: paymentDraft({
        channel: 'wallet',
        amountMinor: amountFrom(random.logNormal(merchant.category.medianMinor * merchant.priceLevel, 0.6), 100),
        account: population.pickCustomer(random).account,
        device,
        ip,
        merchant: merchant.id,
        mcc: merchant.category.mcc,
        country: merchant.country,
        authMethods: random.chance(0.5) ? ['otp'] : ['password'],
      }),
    }));
  },
};
