/** What all cells share, for the tools and planes of this module; pages know `types.ts` and `index.ts` only. */
import type { RenderingEngine } from '@cornerstonejs/core';
import type { Cell } from './cell';
import type { ToolName } from './types';

/** The tools that draw on pictures. They are loaded when the first of them is chosen. */
export interface DrawingTools {
  /** Makes a tool the one that the main button uses; null: none, drawings stay where they are and can be moved. */
  activate(name: ToolName | null): void;
  /** A cell came: its viewport is enabled. */
  addCell(cell: Cell): void;
  removeCell(cell: Cell): void;
  /** Whether a press at this place is meant for a drawing and not for the picture under it. */
  isNearDrawing?(cell: Cell, clientX: number, clientY: number): boolean;
  destroy(): void;
}

export const ENGINE_ID = 'medical-image-server';

export interface Engine {
  readonly cornerstone: RenderingEngine;
  readonly cells: readonly Cell[];
  readonly budget: number;
  readonly tool: ToolName;
  /** Present once drawing tools were wanted. */
  drawingTools: DrawingTools | null;
}

let loadDrawingTools: ((engine: Engine) => Promise<DrawingTools>) | null = null;

/** Says where drawing tools come from; called by the module that has them, before the viewer starts. */
export function provideDrawingTools(load: (engine: Engine) => Promise<DrawingTools>): void {
  loadDrawingTools = load;
}

/** Loads the drawing tools once, and tells them of the cells that are there. */
export async function useDrawingTools(engine: Engine): Promise<DrawingTools | null> {
  if (engine.drawingTools || !loadDrawingTools) return engine.drawingTools;
  const tools = await loadDrawingTools(engine);
  if (!engine.drawingTools) {
    engine.drawingTools = tools;
    for (const cell of engine.cells) tools.addCell(cell);
  }
  return engine.drawingTools;
}
