import { MERCHANT_CATEGORIES } from './merchantCategories.ts';
import type { MerchantCategory } from './merchantCategories.ts';
import { Random } from './random.ts';
import { testCardNumber } from './testCard.ts';
import { WeightedChoice } from './weightedChoice.ts';

interface Country {
  readonly code: string;
  readonly utcOffsetHours: number;
  readonly share: number;
}

export interface Merchant {
  readonly id: string;
  readonly category: MerchantCategory;
  readonly country: string;
  readonly online: boolean;
  /** Factor on the category's median amount. */
  readonly priceLevel: number;
  readonly terminals: readonly string[];
}

/** How a customer pays: shares that add up to 1. */
interface Habits {
  readonly cardPresent: number;
  readonly cardOnline: number;
  readonly wallet: number;
  readonly qr: number;
  readonly transfer: number;
  readonly withdrawal: number;
  readonly topUp: number;
}

export interface Customer {
  readonly index: number;
  readonly account: string;
  readonly country: Country;
  readonly student: boolean;
  /** Factor on amounts. */
  readonly income: number;
  readonly habits: Habits;
  readonly cards: readonly string[];
  /** The first is the one used most. Changes when the customer buys a new one. */
  devices: readonly string[];
  readonly homeIp: string;
  readonly mobileIps: readonly string[];
  readonly usesVpn: boolean;
  readonly favourites: readonly Merchant[];
  readonly payees: readonly string[];
}

export const COUNTRIES: readonly Country[] = [
  { code: 'CN', utcOffsetHours: 8, share: 0.7 },
  { code: 'SG', utcOffsetHours: 8, share: 0.08 },
  { code: 'HK', utcOffsetHours: 8, share: 0.06 },
  { code: 'JP', utcOffsetHours: 9, share: 0.06 },
  { code: 'US', utcOffsetHours: -5, share: 0.05 },
  { code: 'DE', utcOffsetHours: 1, share: 0.03 },
  { code: 'GB', utcOffsetHours: 0, share: 0.02 },
];

const CUSTOMERS_PER_MERCHANT = 30;
const MIN_MERCHANTS = 150;
const MAX_MERCHANTS = 6_000;
const CUSTOMERS_PER_CARRIER_IP = 400;
const CUSTOMERS_PER_CAMPUS = 400;
const FAMILY_DEVICE_SHARE = 0.08;

/**
 * Who pays, and where. Merchants are made at once; a customer is made from the seed when first asked for, so that a
 * population of any size starts at once. At most `customers` customers are kept.
 */
export class Population {
  readonly size: number;
  readonly merchants: readonly Merchant[];
  readonly #seed: number;
  readonly #customers: (Customer | undefined)[];
  readonly #activity: WeightedChoice;
  readonly #countryChoice = new WeightedChoice(COUNTRIES.map((country) => country.share));
  readonly #physicalByCountry = new Map<string, MerchantChoice>();
  readonly #online: MerchantChoice;
  readonly #cashOutOnline: MerchantChoice;
  readonly #cashOutByCountry = new Map<string, MerchantChoice>();

  constructor(seed: number, size: number) {
    if (!Number.isInteger(size) || size < 10) throw new RangeError('a population needs at least 10 customers');
    this.#seed = seed;
    this.size = size;
    this.#customers = Array.from({ length: size });
    const random = new Random(seed, 'population');
    const activity = new Float64Array(size);
    for (let index = 0; index < size; index++) activity[index] = random.logNormal(1, 0.6);
    this.#activity = new WeightedChoice(activity);

    this.merchants = makeMerchants(random, size);
    const popularity = this.merchants.map((_, rank) => 1 / (rank + 10) ** 0.8);
    const choose = (keep: (merchant: Merchant) => number): MerchantChoice =>
      new MerchantChoice(this.merchants, (merchant, rank) => keep(merchant) * (popularity[rank] ?? 0));
    this.#online = choose((merchant) => (merchant.online ? 1 : 0));
    this.#cashOutOnline = choose((merchant) => (merchant.online ? merchant.category.cashOut : 0));
    for (const { code } of COUNTRIES) {
      const isLocal = (merchant: Merchant): boolean => merchant.country === code && !merchant.online;
      this.#physicalByCountry.set(
        code,
        choose((merchant) => (isLocal(merchant) ? 1 : 0)),
      );
      this.#cashOutByCountry.set(
        code,
        choose((merchant) => (isLocal(merchant) ? merchant.category.cashOut : 0)),
      );
    }
  }

  pickCustomer(random: Random): Customer {
    return this.customer(this.#activity.pick(random));
  }

  pickOnlineMerchant(random: Random): Merchant {
    return this.#online.pick(random);
  }

  pickPhysicalMerchant(random: Random, country: string): Merchant {
    return (this.#physicalByCountry.get(country) ?? this.#online).pick(random);
  }

  /** A merchant whose goods turn into cash. */
  pickCashOutMerchant(random: Random, country: string, online: boolean): Merchant {
    return online
      ? this.#cashOutOnline.pick(random)
      : (this.#cashOutByCountry.get(country) ?? this.#online).pick(random);
  }

  customer(index: number): Customer {
    const known = this.#customers[index];
    if (known !== undefined) return known;
    const made = this.#makeCustomer(index);
    this.#customers[index] = made;
    return made;
  }

  #makeCustomer(index: number): Customer {
    const random = new Random(this.#seed, 'customer', index);
    const country = COUNTRIES[this.#countryChoice.pick(random)] ?? random.pick(COUNTRIES);
    const campus = Math.floor(index / CUSTOMERS_PER_CAMPUS);
    // Every tenth block of customers is a campus: students behind one address, with small amounts.
    const student = campus % 10 === 3;
    const id = index.toString(36).padStart(5, '0');
    const familyIndex = index % 2 === 1 && random.chance(FAMILY_DEVICE_SHARE) ? index - 1 : index;
    const devices = [`d-${familyIndex.toString(36).padStart(5, '0')}-0`];
    if (random.chance(0.25)) devices.push(`d-${id}-1`);
    const carrierIps = Math.max(3, Math.ceil((this.size * country.share) / CUSTOMERS_PER_CARRIER_IP));
    return {
      index,
      account: `a-${id}`,
      country,
      student,
      income: random.logNormal(student ? 0.5 : 1, 0.5),
      habits: makeHabits(random, student),
      cards: Array.from({ length: random.chance(0.35) ? 2 : 1 }, () => testCardNumber(random)),
      devices,
      homeIp: student ? `100.66.${campus >> 8}.${campus & 255}` : privateIp(random.integer(0, 0xffffff)),
      mobileIps: Array.from({ length: 3 }, () => carrierIp(country.code, random.integer(0, carrierIps - 1))),
      usesVpn: random.chance(0.03),
      favourites: Array.from({ length: random.integer(4, 9) }, () =>
        random.chance(0.25) ? this.#online.pick(random) : this.pickPhysicalMerchant(random, country.code),
      ),
      payees: Array.from({ length: random.integer(2, 6) }, () => this.#payee(random)),
    };
  }

  /** Landlords, schools and utilities are paid by hundreds; other payees are friends. */
  #payee(random: Random): string {
    return random.chance(0.4)
      ? `p-org-${random.integer(0, Math.ceil(this.size / 500)).toString(36)}`
      : `p-${random
          .integer(0, this.size - 1)
          .toString(36)
          .padStart(5, '0')}`;
  }
}

class MerchantChoice {
  readonly #merchants: readonly Merchant[];
  readonly #choice: WeightedChoice;

  constructor(merchants: readonly Merchant[], weight: (merchant: Merchant, rank: number) => number) {
    this.#merchants = merchants;
    this.#choice = new WeightedChoice(merchants.map(weight));
  }

  pick(random: Random): Merchant {
    return this.#merchants[this.#choice.pick(random)] ?? random.pick(this.#merchants);
  }
}

function makeMerchants(random: Random, customers: number): readonly Merchant[] {
  const count = Math.min(MAX_MERCHANTS, Math.max(MIN_MERCHANTS, Math.ceil(customers / CUSTOMERS_PER_MERCHANT)));
  const categories = new WeightedChoice(MERCHANT_CATEGORIES.map((category) => category.share));
  const countries = new WeightedChoice(COUNTRIES.map((country) => country.share));
  const merchants: Merchant[] = [];
  for (let index = 0; index < count; index++) {
    // The first ones give every country at least one shop of each kind, and the network every kind of online shop.
    const forced = index < COUNTRIES.length * 2;
    const country = COUNTRIES[forced ? index % COUNTRIES.length : countries.pick(random)] ?? random.pick(COUNTRIES);
    const picked = MERCHANT_CATEGORIES[forced ? (index < COUNTRIES.length ? 8 : 0) : categories.pick(random)];
    const category = picked ?? random.pick(MERCHANT_CATEGORIES);
    const online = forced ? false : random.chance(category.onlineShare);
    const id = `m-${index.toString(36).padStart(4, '0')}`;
    merchants.push({
      id,
      category,
      country: country.code,
      online,
      priceLevel: random.logNormal(1, 0.35),
      terminals: online ? [] : Array.from({ length: random.integer(1, 5) }, (_, number) => `${id}-t${number}`),
    });
  }
  return merchants;
}

function makeHabits(random: Random, student: boolean): Habits {
  const shares = {
    cardPresent: random.uniform(0.1, 0.6) * (student ? 0.4 : 1),
    cardOnline: random.uniform(0.05, 0.4),
    wallet: random.uniform(0.05, 0.3),
    qr: random.uniform(0.1, 0.6) * (student ? 1.6 : 1),
    transfer: random.uniform(0.02, 0.16),
    withdrawal: random.uniform(0, 0.06),
    topUp: random.uniform(0, 0.04),
  };
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  return {
    cardPresent: shares.cardPresent / total,
    cardOnline: shares.cardOnline / total,
    wallet: shares.wallet / total,
    qr: shares.qr / total,
    transfer: shares.transfer / total,
    withdrawal: shares.withdrawal / total,
    topUp: shares.topUp / total,
  };
}

/** 10.0.0.0/8 (RFC 1918): nobody's address on the internet. */
function privateIp(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/** 100.64.0.0/10 (RFC 6598), carriers' shared addresses: hundreds of customers behind each. */
export function carrierIp(country: string, number: number): string {
  const block =
    64 +
    Math.max(
      0,
      COUNTRIES.findIndex((candidate) => candidate.code === country),
    ) *
      3;
  return `100.${block}.${(number >> 8) & 255}.${number & 255}`;
}

/** 198.18.0.0/15 (RFC 2544) stands for hosting and VPN exits, used by honest people and thieves alike. */
export function hostingIp(random: Random, pool = 0x1ffff): string {
  const number = random.integer(0, pool);
  return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}
