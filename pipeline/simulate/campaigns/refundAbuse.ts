import { HOUR_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, cardOf, paymentDraft } from '../paymentDraft.ts';

/** Held out of training. A dishonest shop assistant refunds purchases that never were to friends' cards, a few a day. */
export const refundAbuse: Campaign = {
  name: 'refundAbuse',
  fraud: true,
  meanPayments: 25,
  labelSource: 'review',
  issuerDeclineChance: 0,
  plan(scene) {
    const { random, population } = scene;
    const friends = Array.from({ length: random.integer(1, 4) }, () => population.pickCustomer(random));
    const merchant = population.pickCashOutMerchant(random, random.pick(friends).country.code, false);
    const terminal = random.pick(merchant.terminals);
    return timesFrom(scene, random.integer(10, 40), random.uniform(5, 14) * HOUR_MS).map((timeMs) => {
      const friend = random.pick(friends);
      const usual = merchant.category.medianMinor * merchant.priceLevel;
      return {
        timeMs,
        draft: paymentDraft({
          type: 'refund',
          amountMinor: amountFrom(random.logNormal(usual, 0.5)),
          account: friend.account,
          card: cardOf(random.pick(friend.cards)),
          merchant: merchant.id,
          mcc: merchant.category.mcc,
          terminal,
          country: merchant.country,
        }),
      };
    });
  },
};
