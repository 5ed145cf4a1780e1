import { expect, test } from 'vitest';
import { factsOf } from './instanceFacts';

test('facts of a plain CT image', () => {
  const facts = factsOf({
    '00080060': { vr: 'CS', Value: ['CT'] },
    '0008103E': { vr: 'LO', Value: ['Head 1 mm'] },
    '00180050': { vr: 'DS', Value: [1.25] },
    '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
    '00200052': { vr: 'UI', Value: ['1.2.3'] },
    '00282110': { vr: 'CS', Value: ['00'] },
  });
  expect(facts).toMatchObject({
    seriesDescription: 'Head 1 mm',
    sliceThicknessMm: 1.25,
    orientation: [1, 0, 0, 0, 1, 0],
    frameOfReferenceUid: '1.2.3',
    isLossy: false,
    isColour: false,
    unit: 'HU',
    frameRate: null,
  });
});

test('an enhanced object keeps them in its functional groups', () => {
  const facts = factsOf({
    '52009229': {
      vr: 'SQ',
      Value: [{ '00289110': { vr: 'SQ', Value: [{ '00180050': { vr: 'DS', Value: [4] } }] } }],
    },
    '52009230': {
      vr: 'SQ',
      Value: [
        { '00209116': { vr: 'SQ', Value: [{ '00200037': { vr: 'DS', Value: [0, 1, 0, 0, 0, -1] } }] } },
      ],
    },
  });
  expect(facts).toMatchObject({ sliceThicknessMm: 4, orientation: [0, 1, 0, 0, 0, -1], isLossy: null });
});

test('the rate of frames comes from what the file recommends, else from the time of a frame', () => {
  const rate = (dataset: Record<string, number>) =>
    factsOf(
      Object.fromEntries(Object.entries(dataset).map(([tag, value]) => [tag, { vr: 'DS', Value: [value] }])),
    ).frameRate;
  expect(rate({ '00082144': 30, '00180040': 15, '00181063': 100 })).toBe(30);
  expect(rate({ '00180040': 15, '00181063': 100 })).toBe(15);
  expect(rate({ '00181063': 40 })).toBe(25);
  expect(rate({ '00181063': 0 })).toBeNull();
});

test('lossy is what the file says, or what its syntax implies', () => {
  expect(factsOf({ '00282110': { vr: 'CS', Value: ['01'] } }).isLossy).toBe(true);
  expect(factsOf({ '00083002': { vr: 'UI', Value: ['1.2.840.10008.1.2.4.50'] } }).isLossy).toBe(true);
  expect(factsOf({}).isLossy).toBeNull();
});
