import { describe, expect, it } from 'vitest';
import { chooseVoi, drawPixels } from './drawing';
import { describeFrame, type FrameDescription } from './description';
import {
  layoutOf,
  toModalityValues,
  toSlicePixels,
  toStoredValue,
  UnsupportedPixels,
  viewStoredValues,
} from './pixels';

const element = (value: unknown, vr = 'US') => ({ vr, Value: [value] });
const dataset = (more: object = {}) => ({
  '00280002': element(1),
  '00280004': element('MONOCHROME2', 'CS'),
  '00280010': element(1),
  '00280011': element(4),
  '00280100': element(16),
  '00280101': element(16),
  '00280103': element(0),
  '00281050': element(2, 'DS'),
  '00281051': element(4, 'DS'),
  '00281056': element('LINEAR_EXACT', 'CS'),
  ...more,
});

const rescale = (slope: number, intercept: number) => ({ kind: 'rescale' as const, slope, intercept });

function draw(description: FrameDescription, stored: Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>) {
  const layout = layoutOf(description, new Map());
  const pixels = toSlicePixels(stored, layout, description.transform);
  const target = new Uint32Array(stored.length);
  drawPixels(target, pixels, description, chooseVoi(description, null, null), false);
  return [...target].map((word) => word & 0xff);
}

describe('toModalityValues', () => {
  it('stays in place where the values fit', () => {
    const stored = Uint16Array.of(0, 1024, 4095);
    const { values, min, max } = toModalityValues(stored, rescale(1, -1024));
    expect([min, max]).toEqual([-1024, 3071]);
    expect(values).toEqual(Int16Array.of(-1024, 0, 3071));
    expect(values.buffer).toBe(stored.buffer);
  });

  it('takes more room where they do not', () => {
    const { values } = toModalityValues(Int16Array.of(-32768, 32767), rescale(1, -1024));
    expect(values).toEqual(Float32Array.of(-33792, 31743));
  });

  it('keeps fractions, and finds back', () => {
    const { values } = toModalityValues(Uint16Array.of(0, 65535), rescale(0.037, -3.25));
    expect(toStoredValue(values[1] ?? 0, rescale(0.037, -3.25), false)).toBe(65535);
  });

  it('does not touch what needs no change', () => {
    const stored = Uint16Array.of(7);
    expect(toModalityValues(stored, rescale(1, 0)).values).toBe(stored);
  });
});

describe('viewStoredValues', () => {
  it('reads little endian words without copying', () => {
    const bytes = Uint8Array.of(1, 0, 0xff, 0xff, 0, 0, 2, 0);
    const layout = layoutOf(describeFrame(dataset({ '00280103': element(1) }), 1), new Map());
    expect(viewStoredValues(bytes, layout)).toEqual(Int16Array.of(1, -1, 0, 2));
  });

  it('believes what the part says over the file', () => {
    const description = describeFrame(dataset(), 1);
    const layout = layoutOf(
      description,
      new Map([
        ['bits-allocated', '8'],
        ['photometric-interpretation', 'PALETTE_COLOR'],
      ]),
    );
    expect([layout.bitsAllocated, layout.photometricInterpretation]).toEqual([8, 'PALETTE COLOR']);
  });

  it('refuses a frame that is too short', () => {
    const layout = layoutOf(describeFrame(dataset(), 1), new Map());
    expect(() => viewStoredValues(new Uint8Array(6), layout)).toThrow(UnsupportedPixels);
  });
});

describe('drawPixels', () => {
  it('draws by the window of the file', () => {
    expect(draw(describeFrame(dataset(), 1), Uint16Array.of(0, 2, 4, 9))).toEqual([0, 128, 255, 255]);
  });

  it('turns MONOCHROME1 around, but not its padding', () => {
    const inverse = { '00280004': element('MONOCHROME1', 'CS'), '00280120': element(9) };
    expect(draw(describeFrame(dataset(inverse), 1), Uint16Array.of(0, 2, 4, 9))).toEqual([255, 128, 0, 0]);
  });

  it('finds padding after the rescale', () => {
    const padded = { '00280120': element(0), '00281052': element(-4, 'DS'), '00281053': element(2, 'DS') };
    expect(draw(describeFrame(dataset(padded), 1), Uint16Array.of(0, 2, 3, 4))).toEqual([0, 0, 128, 255]);
  });

  it('draws wide fractional values one by one', () => {
    const fractional = { '00281053': element(0.5, 'DS') };
    expect(draw(describeFrame(dataset(fractional), 1), Uint16Array.of(0, 4, 8, 60000))).toEqual([
      0, 128, 255, 255,
    ]);
  });
});

describe('chooseVoi', () => {
  it('asks for a guess where the file has nothing', () => {
    const bare = describeFrame(dataset({ '00281050': undefined, '00281051': undefined }), 1);
    expect(chooseVoi(bare, null, null)).toBeNull();
    expect(chooseVoi(bare, null, 'constant')).toEqual({ kind: 'constant' });
  });

  it('shows the whole range of a mask', () => {
    const mask = describeFrame(dataset({ '00281050': undefined, '00280101': element(1) }), 1);
    expect(chooseVoi(mask, null, null)).toMatchObject({ window: { center: 0.5, width: 1 } });
  });
});
