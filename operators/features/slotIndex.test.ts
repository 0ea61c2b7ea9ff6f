import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SlotIndex } from './slotIndex.ts';

it('gives out the events of a key in their order, once, whatever else it is asked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -1, max: 12 }), fc.integer({ min: -1, max: 2 })), {
        minLength: 1,
        maxLength: 80,
      }),
      fc.nat(),
      fc.array(fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 13 }), fc.integer({ min: 0, max: 80 })), { maxLength: 60 }),
      (events, start, asked) => {
        const from = start % events.length;
        // The columns are the second and third of three words.
        const words = Int32Array.from(events.flatMap(([one, other]) => [0, one, other]));
        const index = new SlotIndex(Int32Array.of(1, 2), words, 3, from, events.length);
        const left = events.map((slots, event) => ({ slots, event })).slice(from);
        const expected = [0, 1].map((column) => left.map(({ slots, event }) => ({ slot: slots[column]!, event })));
        for (const [column, slot, end] of asked) {
          const place = expected[column]!.findIndex((entry) => entry.slot === slot && entry.event < end);
          const [taken] = place < 0 ? [] : expected[column]!.splice(place, 1);
          expect(index.take(column, slot, end)).toBe(taken?.event ?? -1);
        }
      },
    ),
  );
});
