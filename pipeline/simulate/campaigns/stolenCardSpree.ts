import { MINUTE_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, cardOf, paymentDraft } from '../paymentDraft.ts';
import { COUNTRIES, hostingIp } from '../population.ts';

/** A stolen card, or its number, is spent in a few hours at many shops whose goods sell again, until it is blocked. */
export const stolenCardSpree: Campaign = {
  name: 'stolenCardSpree',
  fraud: true,
  meanPayments: 9,
  labelSource: 'chargeback',
  issuerDeclineChance: 0.2,
  plan(scene) {
    const { random, population } = scene;
    const victim = population.pickCustomer(random);
    const card = cardOf(random.pick(victim.cards));
    const online = random.chance(0.55);
    const country = random.chance(0.6) ? victim.country.code : random.pick(COUNTRIES).code;
    const device = `d-s${random.bits().toString(36)}`;
    const ip = hostingIp(random);
    return timesFrom(scene, random.integer(4, 14), random.uniform(5, 25) * MINUTE_MS).map((timeMs) => {
      const merchant = population.pickCashOutMerchant(random, country, online);
      const usual = merchant.category.medianMinor * merchant.priceLevel;
      return {
        timeMs,
        draft: paymentDraft({
          amountMinor: amountFrom(random.logNormal(usual * 1.4, 0.8)),
          account: online ? null : victim.account,
          card,
          merchant: merchant.id,
          mcc: merchant.category.mcc,
          country: merchant.country,
          ...(online ? { device, ip } : { terminal: random.pick(merchant.terminals) }),
        }),
      };
    });
  },
};
