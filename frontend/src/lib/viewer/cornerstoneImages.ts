/** Hands our slices to Cornerstone: its image loader for the scheme `slice:`, and its metadata. */
import { Enums, imageLoader, metaData, utilities, type Types } from '@cornerstonejs/core';
import type { FrameDescription } from './description';
import type { SlicePixels } from './pixels';
import { findSlice } from './registry';

const images = new WeakMap<SlicePixels, Types.IImage>();

export function registerImages(): void {
  imageLoader.registerImageLoader('slice', loadImage as unknown as Types.ImageLoaderFn);
  metaData.addProvider(provide, 10_000);
}

export function unregisterImages(): void {
  metaData.removeProvider(provide);
}

function loadImage(imageId: string): { promise: Promise<Types.IImage> } {
  const found = findSlice(imageId);
  if (!found) return { promise: Promise.reject(new Error('The stack of this image is not open.')) };
  const { stack, index } = found;
  const promise = Promise.all([stack.frames.whenReady(index), stack.describe(index)]);
  return { promise: promise.then(([pixels, description]) => imageOf(imageId, pixels, description)) };
}

/** The image of Cornerstone over the same pixels; they are not copied. */
export function imageOf(imageId: string, pixels: SlicePixels, description: FrameDescription): Types.IImage {
  let image = images.get(pixels);
  if (!image) {
    image = makeImage(imageId, pixels, description);
    images.set(pixels, image);
  }
  return image;
}

function makeImage(imageId: string, pixels: SlicePixels, description: FrameDescription): Types.IImage {
  const { rows, columns } = pixels.layout;
  const numberOfComponents = pixels.isColor ? 3 : 1;
  const scalarData = pixels.values as Types.PixelDataTypedArray;
  const [rowSpacing, columnSpacing] = description.spacingMm ?? [description.pixelAspectRatio, 1];
  const [window] = description.windows;
  const middle = (pixels.min + pixels.max) / 2;
  const rescale =
    description.transform.kind === 'rescale' ? description.transform : { slope: 1, intercept: 0 };
  return {
    imageId,
    minPixelValue: pixels.min,
    maxPixelValue: pixels.max,
    // The pixels are modality values already.
    slope: 1,
    intercept: 0,
    isPreScaled: true,
    preScale: {
      enabled: true,
      scaled: true,
      scalingParameters: {
        modality: description.modality ?? '',
        rescaleSlope: rescale.slope,
        rescaleIntercept: rescale.intercept,
      },
    },
    windowCenter: window?.center ?? middle,
    windowWidth: window?.width ?? Math.max(1, pixels.max - pixels.min),
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => scalarData,
    getCanvas: () => document.createElement('canvas'),
    rows,
    columns,
    height: rows,
    width: columns,
    color: pixels.isColor,
    rgba: false,
    numberOfComponents,
    columnPixelSpacing: columnSpacing,
    rowPixelSpacing: rowSpacing,
    sliceThickness: description.sliceThicknessMm ?? 1,
    invert: pixels.layout.photometricInterpretation === 'MONOCHROME1',
    photometricInterpretation: pixels.layout.photometricInterpretation,
    sizeInBytes: pixels.values.byteLength,
    ...(description.frameOfReferenceUid ? { FrameOfReferenceUID: description.frameOfReferenceUid } : {}),
    dataType: scalarData.constructor.name as Types.PixelDataTypedArrayString,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      width: columns,
      height: rows,
      scalarData,
      numberOfComponents,
    }) as Types.IVoxelManager<number>,
  };
}

/** What Cornerstone and its tools ask about an image, by the names of its metadata modules. */
function provide(type: string, imageId: unknown): unknown {
  const found = typeof imageId === 'string' ? findSlice(imageId) : undefined;
  const description = found?.stack.description(found.index);
  if (!found || !description) return undefined;
  switch (type) {
    case 'imagePlaneModule':
      return imagePlane(description);
    case 'imagePixelModule':
      return imagePixel(description);
    case 'generalSeriesModule':
      return {
        modality: description.modality,
        seriesInstanceUID: found.stack.choice.seriesInstanceUid,
        studyInstanceUID: found.stack.choice.studyInstanceUid,
      };
    case 'sopCommonModule':
      return { sopInstanceUID: description.sopInstanceUid, sopClassUID: description.sopClassUid };
    case 'voiLutModule':
      return {
        windowCenter: description.windows.map(({ center }) => center),
        windowWidth: description.windows.map(({ width }) => width),
        voiLUTFunction: description.windows[0]?.function ?? 'LINEAR',
      };
    case 'modalityLutModule':
      // Pixels are modality values already.
      return { rescaleSlope: 1, rescaleIntercept: 0, rescaleType: description.unit };
    default:
      return undefined;
  }
}

function imagePlane(description: FrameDescription) {
  const { position, orientation, spacingMm, pixelAspectRatio } = description;
  const [rowSpacing, columnSpacing] = spacingMm ?? [pixelAspectRatio, 1];
  const cosines = orientation ?? [1, 0, 0, 0, 1, 0];
  return {
    frameOfReferenceUID: description.frameOfReferenceUid ?? undefined,
    rows: description.rows,
    columns: description.columns,
    imageOrientationPatient: cosines,
    rowCosines: cosines.slice(0, 3),
    columnCosines: cosines.slice(3, 6),
    imagePositionPatient: position ?? [0, 0, 0],
    sliceThickness: description.sliceThicknessMm ?? 1,
    sliceLocation: 0,
    pixelSpacing: [rowSpacing, columnSpacing],
    rowPixelSpacing: spacingMm ? rowSpacing : null,
    columnPixelSpacing: spacingMm ? columnSpacing : null,
    usingDefaultValues: spacingMm === null,
  };
}

function imagePixel(description: FrameDescription) {
  return {
    rows: description.rows,
    columns: description.columns,
    samplesPerPixel: description.samplesPerPixel,
    photometricInterpretation: description.photometricInterpretation,
    bitsAllocated: description.bitsAllocated,
    bitsStored: description.bitsStored,
    highBit: description.bitsStored - 1,
    pixelRepresentation: description.isSigned ? 1 : 0,
    planarConfiguration: 0,
  };
}
