import { DAY_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, cardOf, paymentDraft } from '../paymentDraft.ts';
import { hostingIp } from '../population.ts';

/**
 * A shop's checkout or one of its terminals is abused for days with copies of its customers' cards, at amounts not far
 * from the shop's usual ones. Each payment alone looks ordinary: what shows is the shop's fraud rate, once known.
 */
export const merchantCompromise: Campaign = {
  name: 'merchantCompromise',
  fraud: true,
  meanPayments: 45,
  labelSource: 'chargeback',
  issuerDeclineChance: 0.1,
  plan(scene) {
    const { random, population } = scene;
    const online = random.chance(0.5);
    const country = population.pickCustomer(random).country.code;
    const merchant = online ? population.pickOnlineMerchant(random) : population.pickPhysicalMerchant(random, country);
    const terminal = online ? null : random.pick(merchant.terminals);
    const count = random.integer(20, 70);
    const durationMs = random.uniform(4, 12) * DAY_MS;
    return timesFrom(scene, count, durationMs / count).map((timeMs) => {
      const victim = population.pickCustomer(random);
      const usual = merchant.category.medianMinor * merchant.priceLevel;
      return {
        timeMs,
        draft: paymentDraft({
          amountMinor: amountFrom(random.logNormal(usual * 2, 0.6)),
          account: online && random.chance(0.5) ? null : victim.account,
          card: cardOf(random.pick(victim.cards)),
          merchant: merchant.id,
          mcc: merchant.category.mcc,
          country: merchant.country,
          terminal,
          ...(online ? { device: `d-c${random.bits().toString(36)}`, ip: hostingIp(random) } : {}),
        }),
      };
    });
  },
};
