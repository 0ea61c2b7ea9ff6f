import { amountFrom, cardOf, paymentDraft } from './paymentDraft.ts';
import type { PaymentDraft } from './paymentDraft.ts';
import { COUNTRIES, carrierIp, hostingIp } from './population.ts';
import type { Customer, Merchant, Population } from './population.ts';
import type { Random } from './random.ts';

const DAY_MS = 86_400_000;
const NEW_DEVICE_CHANCE = 0.003;
const TRIP_CHANCE = 0.002;
const BIG_PURCHASE_CHANCE = 0.008;
const REFUND_SHARE = 0.012;
/** One in eight purchases is kept to be refunded, the latest 4,096 of them; the older half is what gets refunded. */
const REMEMBERED_SHARE = 0.125;
const RECENT_PURCHASES = 4_096;
const VPN_EXITS = 60;

interface Trip {
  readonly country: string;
  readonly untilMs: number;
}

interface RecentPurchase {
  readonly transactionId: string;
  readonly draft: PaymentDraft;
}

/** What honest customers do, with everything about it that looks like fraud: trips, new devices, big purchases. */
export class GenuineBehaviour {
  readonly #population: Population;
  readonly #random: Random;
  readonly #timeScale: number;
  /** At most one a customer. */
  readonly #trips = new Map<number, Trip>();
  readonly #recent: RecentPurchase[] = [];
  #recentNext = 0;
  #newDevices = 0;

  constructor(population: Population, random: Random, timeScale: number) {
    this.#population = population;
    this.#random = random;
    this.#timeScale = timeScale;
  }

  /** A payment that `customer` makes now, or a refund of an earlier one. */
  pay(customer: Customer, timeMs: number): PaymentDraft {
    const random = this.#random;
    if (random.chance(REFUND_SHARE) && this.#recent.length === RECENT_PURCHASES) return this.#refund();
    this.#live(customer, timeMs);
    const { habits } = customer;
    let point = random.next();
    if ((point -= habits.cardPresent) < 0) return this.#cardPresent(customer);
    if ((point -= habits.cardOnline) < 0) return this.#cardOnline(customer);
    if ((point -= habits.wallet) < 0) return this.#mobile(customer, 'wallet');
    if ((point -= habits.qr) < 0) return this.#mobile(customer, 'qr');
    if ((point -= habits.transfer) < 0) return this.#transfer(customer);
    if ((point -= habits.withdrawal) < 0) return this.#withdrawal(customer);
    return this.#topUp(customer);
  }

  /** Remembers a purchase, so that it can be refunded. */
  remember(transactionId: string, draft: PaymentDraft): void {
    if (draft.type !== 'purchase' || !this.#random.chance(REMEMBERED_SHARE)) return;
    this.#recent[this.#recentNext] = { transactionId, draft };
    this.#recentNext = (this.#recentNext + 1) % RECENT_PURCHASES;
  }

  /** Trips begin and end, devices are replaced. */
  #live(customer: Customer, timeMs: number): void {
    const random = this.#random;
    const trip = this.#trips.get(customer.index);
    if (trip !== undefined && trip.untilMs <= timeMs) this.#trips.delete(customer.index);
    if (trip === undefined && random.chance(TRIP_CHANCE)) {
      const untilMs = timeMs + random.uniform(1, 9) * DAY_MS * this.#timeScale;
      this.#trips.set(customer.index, { country: random.pick(COUNTRIES).code, untilMs });
    }
    if (random.chance(NEW_DEVICE_CHANCE)) {
      this.#newDevices += 1;
      const device = `d-n${this.#newDevices.toString(36)}-${customer.index.toString(36)}`;
      customer.devices = [device, ...customer.devices.slice(1)];
    }
  }

  #country(customer: Customer): string {
    return this.#trips.get(customer.index)?.country ?? customer.country.code;
  }

  #merchant(customer: Customer, online: boolean): Merchant {
    const random = this.#random;
    if (random.chance(0.7) && !this.#trips.has(customer.index)) {
      const favourite = random.pick(customer.favourites);
      if (favourite.online === online) return favourite;
    }
    return online
      ? this.#population.pickOnlineMerchant(random)
      : this.#population.pickPhysicalMerchant(random, this.#country(customer));
  }

  #amount(customer: Customer, merchant: Merchant, roundToMinor: number): number {
    const random = this.#random;
    const { medianMinor, sigma } = merchant.category;
    const usual = random.logNormal(medianMinor * merchant.priceLevel * customer.income ** 0.5, sigma);
    return amountFrom(random.chance(BIG_PURCHASE_CHANCE) ? usual * random.uniform(3, 20) : usual, roundToMinor);
  }

  #device(customer: Customer): string | null {
    const random = this.#random;
    const [main, second] = customer.devices;
    return second !== undefined && random.chance(0.3) ? second : (main ?? null);
  }

  #ip(customer: Customer, homeShare: number): string {
    const random = this.#random;
    if (customer.usesVpn && random.chance(0.5)) return hostingIp(random, VPN_EXITS);
    const trip = this.#trips.get(customer.index);
    if (trip !== undefined) return carrierIp(trip.country, random.integer(0, 2));
    return random.chance(homeShare) ? customer.homeIp : random.pick(customer.mobileIps);
  }

  #cardPresent(customer: Customer): PaymentDraft {
    const random = this.#random;
    const merchant = this.#merchant(customer, false);
    const amountMinor = this.#amount(customer, merchant, 1);
    return paymentDraft({
      amountMinor,
      account: customer.account,
      card: cardOf(random.pick(customer.cards)),
      merchant: merchant.id,
      mcc: merchant.category.mcc,
      terminal: random.pick(merchant.terminals),
      country: merchant.country,
      authMethods: amountMinor > 30_000 || random.chance(0.4) ? ['pin'] : [],
    });
  }

  #cardOnline(customer: Customer): PaymentDraft {
    const random = this.#random;
    const merchant = this.#merchant(customer, true);
    return paymentDraft({
      amountMinor: this.#amount(customer, merchant, 1),
      account: random.chance(0.9) ? customer.account : null,
      card: cardOf(random.pick(customer.cards)),
      device: this.#device(customer),
      ip: this.#ip(customer, 0.65),
      merchant: merchant.id,
      mcc: merchant.category.mcc,
      country: merchant.country,
      authMethods: random.chance(0.45) ? ['3ds'] : [],
    });
  }

  #mobile(customer: Customer, channel: 'wallet' | 'qr'): PaymentDraft {
    const random = this.#random;
    const online = channel === 'wallet' && random.chance(0.5);
    const merchant = this.#merchant(customer, online);
    return paymentDraft({
      channel,
      amountMinor: this.#amount(customer, merchant, channel === 'qr' && random.chance(0.5) ? 100 : 1),
      account: customer.account,
      device: this.#device(customer),
      ip: this.#ip(customer, online ? 0.5 : 0.1),
      merchant: merchant.id,
      mcc: merchant.category.mcc,
      terminal: online ? null : random.pick(merchant.terminals),
      country: merchant.country,
      authMethods: random.chance(0.7) ? ['biometric'] : ['password'],
    });
  }

  #transfer(customer: Customer): PaymentDraft {
    const random = this.#random;
    const payee = random.chance(0.85)
      ? random.pick(customer.payees)
      : `p-${random
          .integer(0, this.#population.size - 1)
          .toString(36)
          .padStart(5, '0')}`;
    const median = payee.startsWith('p-org') ? 120_000 : 15_000;
    const amountMinor = amountFrom(random.logNormal(median * customer.income, 1.1), random.chance(0.7) ? 1_000 : 1);
    return paymentDraft({
      type: 'transfer',
      channel: 'bankTransfer',
      amountMinor,
      account: customer.account,
      device: this.#device(customer),
      ip: this.#ip(customer, 0.6),
      payee,
      country: customer.country.code,
      authMethods: amountMinor > 100_000 ? ['password', 'otp'] : random.chance(0.6) ? ['biometric'] : ['password'],
    });
  }

  #withdrawal(customer: Customer): PaymentDraft {
    const random = this.#random;
    const country = this.#country(customer);
    return paymentDraft({
      type: 'withdrawal',
      amountMinor: amountFrom(random.logNormal(50_000 * customer.income, 0.7), 10_000),
      account: customer.account,
      card: cardOf(random.pick(customer.cards)),
      mcc: '6011',
      terminal: `atm-${country.toLowerCase()}-${random.integer(0, Math.ceil(this.#population.size / 200)).toString(36)}`,
      country,
      authMethods: ['pin'],
    });
  }

  #topUp(customer: Customer): PaymentDraft {
    const random = this.#random;
    return paymentDraft({
      type: 'topUp',
      channel: 'wallet',
      amountMinor: amountFrom(random.logNormal(10_000 * customer.income, 0.7), 1_000),
      account: customer.account,
      card: cardOf(random.pick(customer.cards)),
      device: this.#device(customer),
      ip: this.#ip(customer, 0.5),
      country: customer.country.code,
      authMethods: ['biometric'],
    });
  }

  #refund(): PaymentDraft {
    const random = this.#random;
    const age = random.integer(0, RECENT_PURCHASES / 2);
    const purchase = this.#recent[(this.#recentNext + age) % RECENT_PURCHASES];
    const { transactionId, draft } = purchase ?? random.pick(this.#recent);
    return {
      ...draft,
      type: 'refund',
      amountMinor: random.chance(0.7) ? draft.amountMinor : amountFrom(draft.amountMinor * random.next()),
      device: null,
      ip: null,
      authMethods: [],
      originalTransactionId: transactionId,
    };
  }
}
