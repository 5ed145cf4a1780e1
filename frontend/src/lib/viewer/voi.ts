/** From modality values to grey: windows and tables (PS3.3 C.11.2), as the server draws them. */
import { lookUp, type LookupTable } from './lookupTable';
import type { WindowFunction, WindowSetting } from './types';

/** How brightness comes from modality values; `constant` is the middle grey of an image without contrast. */
export type Voi =
  | { kind: 'window'; window: Pick<WindowSetting, 'center' | 'width' | 'function'> }
  | { kind: 'table'; table: LookupTable }
  | { kind: 'constant' };

const MID_GREY = 128;

/** LINEAR below a width of 1 would turn the image around (C.11.2.1.2); such a window is taken as LINEAR_EXACT. */
export function suitableFunction(name: WindowFunction, width: number): WindowFunction {
  return name === 'LINEAR' && width < 1 ? 'LINEAR_EXACT' : name;
}

/** The function from a modality value to 0 … 255, rounding half up; what is not a number is black. */
export function greyOf(voi: Voi, isInverted: boolean): (value: number) => number {
  if (voi.kind === 'constant') return () => (isInverted ? 255 - MID_GREY : MID_GREY);
  const intensity = voi.kind === 'table' ? tableIntensity(voi.table) : windowIntensity(voi.window);
  return (value) => {
    const of = intensity(value);
    const shown = isInverted ? 1 - of : of;
    return shown >= 0 ? Math.floor(Math.min(shown, 1) * 255 + 0.5) : 0;
  };
}

function tableIntensity(table: LookupTable): (value: number) => number {
  const white = 2 ** table.bits - 1;
  return (value) => Math.min(lookUp(table, value) / white, 1);
}

function windowIntensity(window: Pick<WindowSetting, 'center' | 'width' | 'function'>) {
  const { center, width } = window;
  const clip = (value: number) => (value < 0 ? 0 : value > 1 ? 1 : value);
  switch (suitableFunction(window.function, width)) {
    case 'SIGMOID':
      return (value: number) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
    case 'LINEAR_EXACT':
      return (value: number) => clip((value - center) / width + 0.5);
    case 'LINEAR':
      if (width <= 1) return (value: number) => (value > center - 0.5 ? 1 : 0);
      return (value: number) => clip((value - (center - 0.5)) / (width - 1) + 0.5);
  }
}
