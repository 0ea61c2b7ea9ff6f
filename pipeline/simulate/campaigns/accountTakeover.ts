import { MINUTE_MS, timesFrom } from '../campaign.ts';
import type { Campaign } from '../campaign.ts';
import { amountFrom, paymentDraft } from '../paymentDraft.ts';
import { hostingIp } from '../population.ts';

/**
 * Someone signs in with a stolen password from a device of their own and empties the account: transfers to payees never
 * paid before, wallet purchases of what sells again. One in eight works through the victim's own device (malware).
 */
export const accountTakeover: Campaign = {
  name: 'accountTakeover',
  fraud: true,
  meanPayments: 6,
  labelSource: 'customerReport',
  issuerDeclineChance: 0.1,
  plan(scene) {
    const { random, population } = scene;
    const victim = population.pickCustomer(random);
    const throughVictim = random.chance(0.12);
    const device = throughVictim ? (victim.devices[0] ?? null) : `d-o${random.bits().toString(36)}`;
    const ip = throughVictim ? victim.homeIp : random.chance(0.3) ? random.pick(victim.mobileIps) : hostingIp(random);
    const payees = Array.from({ length: random.integer(1, 2) }, () => `p-x${random.bits().toString(36)}`);
    return timesFrom(scene, random.integer(3, 9), random.uniform(3, 15) * MINUTE_MS).map((timeMs, order) => {
      const authMethods = random.chance(0.3) ? ['password', 'otp'] : ['password'];
      const base = { account: victim.account, device, ip, authMethods };
      // The first one often only tries whether it works.
      const factor = order === 0 && random.chance(0.5) ? 0.05 : 1;
      if (random.chance(0.6)) {
        const amountMinor = amountFrom(random.logNormal(150_000 * victim.income, 0.8) * factor, 1_000);
        const draft = { ...base, amountMinor, payee: random.pick(payees), country: victim.country.code };
        return { timeMs, draft: paymentDraft({ ...draft, type: 'transfer', channel: 'bankTransfer' }) };
      }
      const merchant = population.pickCashOutMerchant(random, victim.country.code, true);
      const amountMinor = amountFrom(random.logNormal(merchant.category.medianMinor * 1.8, 0.8) * factor);
      const place = { merchant: merchant.id, mcc: merchant.category.mcc, country: merchant.country };
      return { timeMs, draft: paymentDraft({ ...base, ...place, channel: 'wallet', amountMinor }) };
    });
  },
};
