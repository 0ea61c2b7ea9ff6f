import { SECOND_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';
import { hostingIp } from '../population.ts';

/** One device works through many bought or made-up accounts and spends what is in each wallet. */
export const deviceVelocity: Campaign = {
  name: 'deviceVelocity',
  fraud: true,
  meanPayments: 40,
  labelSource: 'customerReport',
  issuerDeclineChance: 0.15,
  plan(scene) {
    const { random, population } = scene;
    const device = `d-v${random.bits().toString(36)}`;
    const ips = Array.from({ length: random.integer(1, 4) }, () => hostingIp(random));
    const merchants = Array.from({ length: random.integer(1, 3) }, () =>
      population.pickCashOutMerchant(random, 'CN', true),
    );
    const madeUpShare = random.uniform(0.2, 0.9);
    return timesFrom(scene, random.integer(15, 65), random.uniform(10, 90) * SECOND_MS).map((timeMs) => {
      const merchant = random.pick(merchants);
      return {
        timeMs,
        draft: paymentDraft({
          channel: 'wallet',
          amountMinor: amountFrom(random.logNormal(9_000, 0.8), random.chance(0.5) ? 100 : 1),
          account: random.chance(madeUpShare)
            ? `a-v${random.bits().toString(36)}`
            : population.pickCustomer(random).account,
          device,
          ip: random.pick(ips),
          merchant: merchant.id,
          mcc: merchant.category.mcc,
          country: merchant.country,
          authMethods: ['password'],
        }),
      };
    });
  },
};
