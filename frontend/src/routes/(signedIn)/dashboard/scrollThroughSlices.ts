/** Lets a wheel or touch pad over an element move through the slices. */
import type { SliceView } from '$lib/state/sliceView.svelte';

/** Wheels and touch pads report many small moves (CSS pixels); a slice is one notch. */
const NOTCH = 60;

/** Added by hand because only a listener that says so may keep the page from scrolling. */
export function scrollThroughSlices(view: () => SliceView): (element: HTMLElement) => () => void {
  return (element) => {
    let moved = 0;
    const turn = (event: WheelEvent) => {
      const { index, count, slice } = view();
      if (event.ctrlKey || !slice.value || count < 2) return;
      // Beyond the last slice the page scrolls on, as a list would.
      if (index === (event.deltaY > 0 ? count - 1 : 0)) return;
      event.preventDefault();
      moved +=
        event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : Math.sign(event.deltaY) * NOTCH;
      const slices = Math.trunc(moved / NOTCH);
      moved -= slices * NOTCH;
      if (slices) void view().step(slices);
    };
    element.addEventListener('wheel', turn, { passive: false });
    return () => element.removeEventListener('wheel', turn);
  };
}
