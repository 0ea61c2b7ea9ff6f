import { HOUR_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';

/** Honest, but like a mule ring: a class trip or a wedding collects from many people who never paid this payee before. */
export const groupCollection: Campaign = {
  name: 'groupCollection',
  fraud: false,
  meanPayments: 30,
  labelSource: 'review',
  issuerDeclineChance: 0.01,
  plan(scene) {
    const { random, population } = scene;
    const payee = `p-g${random.bits().toString(36)}`;
    const each = amountFrom(random.logNormal(30_000, 0.9), 1_000);
    return timesFrom(scene, random.integer(15, 45), random.uniform(0.1, 1) * HOUR_MS).map((timeMs) => {
      const customer = population.pickCustomer(random);
      return {
        timeMs,
        draft: paymentDraft({
          type: 'transfer',
          channel: 'bankTransfer',
          amountMinor: random.chance(0.8) ? each : each * 2,
          account: customer.account,
          device: customer.devices[0] ?? null,
          ip: random.chance(0.5) ? customer.homeIp : random.pick(customer.mobileIps),
          payee,
          country: customer.country.code,
          authMethods: random.chance(0.5) ? ['password', 'otp'] : ['biometric'],
        }),
      };
    });
  },
};
