import { describe, expect, it } from 'vitest';
import type { DicomDataset } from '$lib/api/frames';
import { describeFrame } from './description';

/** Tags by name, each with its values. */
const TAGS = {
  modality: ['00080060', 'CS'],
  pixelSpacing: ['00280030', 'DS'],
  imagerPixelSpacing: ['00181164', 'DS'],
  calibrationType: ['00280A02', 'CS'],
  pixelAspectRatio: ['00280034', 'IS'],
} as const;

const dataset = (values: Partial<Record<keyof typeof TAGS, unknown[]>>): DicomDataset =>
  Object.fromEntries(
    Object.entries(values).map(([name, Value]) => {
      const [tag, vr] = TAGS[name as keyof typeof TAGS];
      return [tag, { vr, Value }];
    }),
  );

describe('the spacing of pixels (PS3.3 10.7.1.3)', () => {
  it.each([
    ['of a cross section', { modality: ['CT'], pixelSpacing: [0.5, 0.5] }, 'patient'],
    ['at the detector', { modality: ['DX'], imagerPixelSpacing: [0.5, 0.5] }, 'detector'],
    [
      'that repeats the one at the detector',
      { modality: ['DX'], pixelSpacing: [0.5, 0.5], imagerPixelSpacing: [0.5, 0.5] },
      'detector',
    ],
    [
      'that differs from the one at the detector',
      { modality: ['DX'], pixelSpacing: [0.5, 0.5], imagerPixelSpacing: [0.6, 0.6] },
      'calibrated',
    ],
    [
      'with a calibration',
      {
        modality: ['DX'],
        pixelSpacing: [0.5, 0.5],
        imagerPixelSpacing: [0.5, 0.5],
        calibrationType: ['FIDUCIAL'],
      },
      'calibrated',
    ],
    [
      'of a projection that does not tell where it holds',
      { modality: ['CR'], pixelSpacing: [0.5, 0.5] },
      'detector',
    ],
  ])('%s', (_name, values, source) => {
    const { spacingMm, spacingSource } = describeFrame(dataset(values), 1);
    expect([spacingMm, spacingSource]).toEqual([[0.5, 0.5], source]);
  });

  it('is unknown where no attribute tells it; the proportion of a pixel may be known', () => {
    const found = describeFrame(dataset({ pixelAspectRatio: ['3', '2'] }), 1);
    expect([found.spacingMm, found.spacingSource, found.pixelAspectRatio]).toEqual([null, null, 1.5]);
  });
});
