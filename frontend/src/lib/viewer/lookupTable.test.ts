import { describe, expect, it } from 'vitest';
import { lookUp, readLookupTable, tablesToFetch } from './lookupTable';

const item = (descriptor: number[], data: object) => ({
  '00283002': { vr: 'US', Value: descriptor },
  '00283006': { vr: 'OW', ...data },
});

describe('readLookupTable', () => {
  it('reads words, and takes values outside to the ends', () => {
    const table = readLookupTable(item([3, 100, 8], { Value: [5, 6, 7] }), false);
    expect(table && [99, 100, 101, 102, 500].map((value) => lookUp(table, value))).toEqual([5, 5, 6, 7, 7]);
  });

  it('reads bytes in line', () => {
    const InlineBinary = btoa('\x01\x00\x00\x01');
    expect(readLookupTable(item([2, 0, 16], { InlineBinary }), false)?.entries).toEqual(
      Uint16Array.of(1, 256),
    );
  });

  it('reads two entries of 8 bits from a word, the low one first', () => {
    const InlineBinary = btoa('\x01\x02\x03\x04');
    expect([...(readLookupTable(item([4, 0, 8], { InlineBinary }), false)?.entries ?? [])]).toEqual([
      1, 2, 3, 4,
    ]);
  });

  // PS3.3 C.11.2.1.1: the first value mapped is signed where values can be negative.
  it('knows negative first values', () => {
    expect(readLookupTable(item([2, 65036, 16], { Value: [0, 1] }), true)?.first).toBe(-500);
  });

  it('takes 0 entries for 65536', () => {
    const Value = Array.from({ length: 65536 }, (_, i) => i);
    expect(readLookupTable(item([0, 0, 16], { Value }), false)?.entries).toHaveLength(65536);
  });

  it.each([
    ['without data', item([2, 0, 16], {})],
    ['too short', item([100, 0, 16], { Value: [1, 2, 3] })],
    ['of no bits', item([2, 0, 0], { Value: [1, 2] })],
    ['without a descriptor', { '00283006': { vr: 'OW', Value: [1] } }],
  ])('is null %s', (_name, given) => {
    expect(readLookupTable(given, false)).toBeNull();
  });
});

describe('tablesToFetch', () => {
  it('finds the data that were not sent along, in functional groups too', () => {
    const far = item([2, 0, 16], { BulkDataURI: 'bulkdata/1' });
    const dataset = {
      '00283000': { vr: 'SQ', Value: [item([2, 0, 16], { Value: [1, 2] })] },
      '52009229': {
        vr: 'SQ',
        Value: [{ '00289132': { vr: 'SQ', Value: [{ '00283010': { vr: 'SQ', Value: [far] } }] } }],
      },
    };
    expect(tablesToFetch(dataset)).toEqual([far['00283006']]);
  });
});
