import { SECOND_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, cardOf, paymentDraft } from '../paymentDraft.ts';

/** Honest, but like card testing: an online shop's sale, or a charity's appeal, brings many cards with small amounts. */
export const flashSale: Campaign = {
  name: 'flashSale',
  fraud: false,
  meanPayments: 80,
  labelSource: 'review',
  issuerDeclineChance: 0.03,
  plan(scene) {
    const { random, population } = scene;
    const merchant = population.pickOnlineMerchant(random);
    const price = random.logNormal(600, 1);
    return timesFrom(scene, random.integer(40, 120), random.uniform(3, 30) * SECOND_MS).map((timeMs) => {
      const customer = population.pickCustomer(random);
      return {
        timeMs,
        draft: paymentDraft({
          amountMinor: amountFrom(price * random.integer(1, 3)),
          account: random.chance(0.8) ? customer.account : null,
          card: cardOf(random.pick(customer.cards)),
          device: customer.devices[0] ?? null,
          ip: random.chance(0.5) ? customer.homeIp : random.pick(customer.mobileIps),
          merchant: merchant.id,
          mcc: merchant.category.mcc,
          country: merchant.country,
          authMethods: random.chance(0.45) ? ['3ds'] : [],
        }),
      };
    });
  },
};
