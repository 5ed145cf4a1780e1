/** The viewer itself, with Cornerstone; loaded by `index.ts`. */
import { cache, RenderingEngine, setUseCPURendering } from '@cornerstonejs/core';
import { Cell } from './cell';
import { registerImages, unregisterImages } from './cornerstoneImages';
import { ENGINE_ID, type Engine } from './engine';
import { deviceBudget } from './memory';
import type { PlaneVolume, PlaneVolumeOptions } from './planeTypes';
import { StackPlanes } from './planeVolume';
import type { CellHandlers, ImageCell, ToolName, Viewer, ViewerOptions } from './types';

export class CornerstoneViewer implements Viewer, Engine {
  readonly cornerstone: RenderingEngine;
  readonly budget: number;
  #cells: Cell[] = [];
  readonly #volumes = new Set<StackPlanes>();
  #tool: ToolName = 'scroll';

  constructor({ memoryBudget }: ViewerOptions) {
    this.budget = memoryBudget ?? deviceBudget();
    // Without contexts of the graphics card: pictures of stacks are drawn by the processor.
    setUseCPURendering(true, false);
    this.cornerstone = new RenderingEngine(ENGINE_ID);
    setUseCPURendering(false, false);
    registerImages();
  }

  get cells(): readonly Cell[] {
    return this.#cells;
  }

  get tool(): ToolName {
    return this.#tool;
  }

  createCell(element: HTMLDivElement, handlers: CellHandlers = {}): ImageCell {
    const cell = new Cell(this, element, handlers);
    this.#cells.push(cell);
    // For journeys, and for who looks at the page in the browser's console.
    Object.assign(element, { imageCell: cell });
    const destroy = cell.destroy.bind(cell);
    cell.destroy = () => {
      if (!this.#cells.includes(cell)) return;
      this.#cells = this.#cells.filter((other) => other !== cell);
      destroy();
    };
    return cell;
  }

  setTool(name: ToolName): void {
    this.#tool = name;
  }

  openPlanes(options: PlaneVolumeOptions): PlaneVolume {
    const volume = new StackPlanes(this.budget, options);
    this.#volumes.add(volume);
    const close = volume.close.bind(volume);
    volume.close = () => this.#volumes.delete(volume) && close();
    return volume;
  }

  clearPixels(): void {
    for (const cell of this.#cells) cell.clearPixels();
    for (const volume of this.#volumes) volume.clearPixels();
    cache.purgeCache();
  }

  restore(): void {
    for (const cell of this.#cells) cell.restore();
    for (const volume of this.#volumes) volume.restore();
  }

  destroy(): void {
    for (const cell of [...this.#cells]) cell.destroy();
    for (const volume of [...this.#volumes]) volume.close();
    this.cornerstone.destroy();
    unregisterImages();
    cache.purgeCache();
  }
}
