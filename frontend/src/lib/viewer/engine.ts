/** What all cells share; pages know `types.ts` and `index.ts` only. */
import type { RenderingEngine } from '@cornerstonejs/core';
import type { ToolName } from './types';

export const ENGINE_ID = 'medical-image-server';

export interface Engine {
  readonly cornerstone: RenderingEngine;
  readonly budget: number;
  readonly tool: ToolName;
}
