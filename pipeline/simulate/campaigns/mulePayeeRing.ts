import { HOUR_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';

/**
 * People are talked into transferring money, from their own devices, to a handful of mule accounts opened for it, which
 * pass most of it on to one collector.
 */
export const mulePayeeRing: Campaign = {
  name: 'mulePayeeRing',
  fraud: true,
  meanPayments: 46,
  labelSource: 'customerReport',
  issuerDeclineChance: 0.05,
  plan(scene) {
    const { random, population } = scene;
    const mules = Array.from({ length: random.integer(2, 6) }, () => random.bits().toString(36));
    const collector = `p-y${random.bits().toString(36)}`;
    const times = timesFrom(scene, random.integer(25, 67), random.uniform(0.2, 0.9) * HOUR_MS);
    return times.map((timeMs, order) => {
      const mule = random.pick(mules);
      if (order > 8 && random.chance(0.15)) {
        return {
          timeMs,
          draft: paymentDraft({
            type: 'transfer',
            channel: 'bankTransfer',
            amountMinor: amountFrom(random.uniform(200_000, 900_000), 10_000),
            account: `a-y${mule}`,
            device: `d-y${mule}`,
            ip: random.pick(population.pickCustomer(random).mobileIps),
            payee: collector,
            country: 'CN',
            authMethods: ['password', 'otp'],
          }),
        };
      }
      const victim = population.pickCustomer(random);
      return {
        timeMs,
        draft: paymentDraft({
          type: 'transfer',
          channel: 'bankTransfer',
          amountMinor: amountFrom(random.logNormal(110_000 * victim.income, 0.7), 1_000),
          account: victim.account,
          device: victim.devices[0] ?? null,
          ip: random.chance(0.6) ? victim.homeIp : random.pick(victim.mobileIps),
          payee: `p-y${mule}`,
          country: victim.country.code,
          authMethods: ['password', 'otp'],
        }),
      };
    });
  },
};
