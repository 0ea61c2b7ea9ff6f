import { SECOND_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, cardOf, paymentDraft } from '../paymentDraft.ts';
import { hostingIp } from '../population.ts';
import { testCardNumber } from '../testCard.ts';

/**
 * A script tries stolen card numbers with small payments at one online shop. Some scripts use one device and few
 * addresses, careful ones change both every time, so that only the shop shows it.
 */
export const cardTesting: Campaign = {
  name: 'cardTesting',
  fraud: true,
  meanPayments: 65,
  labelSource: 'issuerReport',
  issuerDeclineChance: 0.6,
  plan(scene) {
    const { random, population } = scene;
    const merchant = population.pickOnlineMerchant(random);
    const careful = random.chance(0.25);
    const devices = Array.from({ length: random.integer(1, 3) }, () => `d-t${random.bits().toString(36)}`);
    const ips = Array.from({ length: random.integer(1, 5) }, () => hostingIp(random));
    return timesFrom(scene, random.integer(30, 100), random.uniform(2, 20) * SECOND_MS).map((timeMs) => ({
      timeMs,
      draft: paymentDraft({
        amountMinor: random.chance(0.85) ? random.integer(10, 499) : amountFrom(random.uniform(500, 2_500)),
        card: cardOf(random.chance(0.5) ? random.pick(population.pickCustomer(random).cards) : testCardNumber(random)),
        device: careful ? (random.chance(0.5) ? null : `d-t${random.bits().toString(36)}`) : random.pick(devices),
        ip: careful ? hostingIp(random) : random.pick(ips),
        merchant: merchant.id,
        mcc: merchant.category.mcc,
        country: merchant.country,
      }),
    }));
  },
};
