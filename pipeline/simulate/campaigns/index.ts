import type { Campaign } from '../campaign.ts';
import { accountTakeover } from './accountTakeover.ts';
import { agentTill } from './agentTill.ts';
import { cardTesting } from './cardTesting.ts';
import { deviceVelocity } from './deviceVelocity.ts';
import { flashSale } from './flashSale.ts';
import { groupCollection } from './groupCollection.ts';
import { merchantCompromise } from './merchantCompromise.ts';
import { mulePayeeRing } from './mulePayeeRing.ts';
import { refundAbuse } from './refundAbuse.ts';
import { simSwapTransfer } from './simSwapTransfer.ts';
import { stolenCardSpree } from './stolenCardSpree.ts';

/** Fraud that the shipped model is trained on. */
export const TRAINED_CAMPAIGNS = [
  cardTesting,
  accountTakeover,
  stolenCardSpree,
  merchantCompromise,
  mulePayeeRing,
  deviceVelocity,
] as const satisfies readonly Campaign[];

/** Fraud that no model has seen: what a detector meets in earnest. */
export const HELD_OUT_CAMPAIGNS = [refundAbuse, simSwapTransfer] as const satisfies readonly Campaign[];

/** Honest bursts that look like fraud. */
export const LOOKALIKES = [flashSale, groupCollection, agentTill] as const satisfies readonly Campaign[];

export const FRAUD_CAMPAIGNS: readonly Campaign[] = [...TRAINED_CAMPAIGNS, ...HELD_OUT_CAMPAIGNS];
