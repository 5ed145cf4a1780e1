/**
 * Everything that can be done to a picture, in one table: its key, its sign, its words and what it does. Tool bars,
 * the handler of keys and the sheet of shortcuts all read it, so they cannot disagree.
 */
import type { Component } from 'svelte';
import Angle from '@lucide/svelte/icons/angle';
import ArrowUpRight from '@lucide/svelte/icons/arrow-up-right';
import Box from '@lucide/svelte/icons/box';
import Camera from '@lucide/svelte/icons/camera';
import Circle from '@lucide/svelte/icons/circle';
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import Columns2 from '@lucide/svelte/icons/columns-2';
import Contrast from '@lucide/svelte/icons/contrast';
import Crosshair from '@lucide/svelte/icons/crosshair';
import DraftingCompass from '@lucide/svelte/icons/drafting-compass';
import Eye from '@lucide/svelte/icons/eye';
import FlipHorizontal from '@lucide/svelte/icons/flip-horizontal';
import FlipVertical from '@lucide/svelte/icons/flip-vertical';
import GalleryVerticalEnd from '@lucide/svelte/icons/gallery-vertical-end';
import Grid2x2 from '@lucide/svelte/icons/grid-2x2';
import Hand from '@lucide/svelte/icons/hand';
import Info from '@lucide/svelte/icons/info';
import Keyboard from '@lucide/svelte/icons/keyboard';
import Link from '@lucide/svelte/icons/link';
import Link2 from '@lucide/svelte/icons/link-2';
import ListChecks from '@lucide/svelte/icons/list-checks';
import Maximize from '@lucide/svelte/icons/maximize';
import MoveVertical from '@lucide/svelte/icons/move-vertical';
import PanelLeft from '@lucide/svelte/icons/panel-left';
import Pipette from '@lucide/svelte/icons/pipette';
import Play from '@lucide/svelte/icons/play';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import Ruler from '@lucide/svelte/icons/ruler';
import Scaling from '@lucide/svelte/icons/scaling';
import Search from '@lucide/svelte/icons/search';
import Square from '@lucide/svelte/icons/square';
import SquareDashed from '@lucide/svelte/icons/square-dashed';
import SunMedium from '@lucide/svelte/icons/sun-medium';
import Tags from '@lucide/svelte/icons/tags';
import Undo from '@lucide/svelte/icons/undo-2';
import X from '@lucide/svelte/icons/x';
import ZoomIn from '@lucide/svelte/icons/zoom-in';
import ZoomOut from '@lucide/svelte/icons/zoom-out';
import type { PlanesView } from '$lib/state/planesView.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import type { ToolName } from '$lib/viewer/types';
import type { texts } from '$lib/texts';
import { copyLink, playOrPause, say } from './actions';

export type CommandId = keyof (typeof texts)['tools']['commands'];
export type Group = keyof (typeof texts)['tools']['groups'];
export type Icon = Component<{ size?: number; strokeWidth?: number }>;

export interface Command {
  id: CommandId;
  group: Group;
  /** As `KeyboardEvent.key` names them, letters small; with `Shift+` the code of the key. */
  keys: readonly string[];
  icon: Icon;
  /** The tool that it takes in hand. */
  tool?: ToolName;
  run: (page: ViewerPage) => void;
  /** For what is on or off. */
  isOn?: (page: ViewerPage) => boolean;
  /** Not offered where it could do nothing. */
  isPossible?: (page: ViewerPage) => boolean;
  /** Also while the key is held down. */
  repeats?: boolean;
}

const tool = (id: CommandId & ToolName, key: string, icon: Icon, group: Group = 'tools'): Command => ({
  id,
  group,
  keys: [key],
  icon,
  tool: id,
  run: (page) => page.useTool(id),
  isOn: (page) => page.tool === id,
  ...(group === 'measure' ? { isPossible: (page) => page.engineError === null && !page.planes } : {}),
});

/** Of what planes do not have: they lie as radiologists see them. */
const isOfSlices = (page: ViewerPage) => page.planes === null;

const scroll = (id: CommandId, keys: string[], by: number, icon: Icon): Command => ({
  id,
  group: 'slices',
  keys,
  icon,
  run: ({ active, planes }) => (planes ? planes.step(planes.active, by) : active.step(by)),
  repeats: true,
});

const slab = (id: CommandId, key: string, change: (planes: PlanesView) => void): Command => ({
  id,
  group: 'layout',
  keys: [key],
  icon: Box,
  run: ({ planes }) => planes && change(planes),
  isPossible: ({ planes }) => planes !== null,
  repeats: id !== 'projection',
});

const panel = (
  id: CommandId & ('why' | 'attributes' | 'measurements'),
  key: string,
  icon: Icon,
): Command => ({
  id,
  group: 'panels',
  keys: [key],
  icon,
  run: (page) => page.toggle(id),
  isOn: (page) => page.panel === id,
});

export const COMMANDS: readonly Command[] = [
  tool('scroll', 's', MoveVertical),
  tool('window', 'w', SunMedium),
  tool('zoom', 'z', ZoomIn),
  tool('pan', 'p', Hand),
  tool('magnify', 'm', Search),
  tool('probe', 'd', Pipette),

  tool('length', 'l', Ruler, 'measure'),
  tool('angle', 'a', Angle, 'measure'),
  tool('cobb', 'c', DraftingCompass, 'measure'),
  tool('rectangle', 'q', Square, 'measure'),
  tool('ellipse', 'e', Circle, 'measure'),
  tool('arrow', 'n', ArrowUpRight, 'measure'),
  tool('bidirectional', 'b', Crosshair, 'measure'),

  scroll('previousSlice', ['ArrowUp', 'ArrowLeft'], -1, MoveVertical),
  scroll('nextSlice', ['ArrowDown', 'ArrowRight'], 1, MoveVertical),
  scroll('tenBack', ['PageUp'], -10, MoveVertical),
  scroll('tenOn', ['PageDown'], 10, MoveVertical),
  {
    id: 'firstSlice',
    group: 'slices',
    keys: ['Home'],
    icon: MoveVertical,
    run: ({ active, planes }) => (planes ? planes.goTo(planes.active, 0) : active.goTo(0)),
  },
  {
    id: 'lastSlice',
    group: 'slices',
    keys: ['End'],
    icon: MoveVertical,
    run: ({ active, planes }) =>
      planes ? planes.goTo(planes.active, Infinity) : active.goTo(active.count - 1),
  },
  {
    id: 'cine',
    group: 'slices',
    keys: [' '],
    icon: Play,
    run: playOrPause,
    isOn: ({ active }) => active.state?.isPlaying ?? false,
    isPossible: ({ active, planes }) => active.hasPixels && active.count > 1 && !planes,
  },

  {
    id: 'invert',
    group: 'picture',
    keys: ['i'],
    icon: Contrast,
    run: ({ active }) => active.update({ isInverted: !active.view.isInverted }),
    isOn: ({ active }) => active.view.isInverted,
  },
  {
    id: 'rotate',
    group: 'picture',
    keys: ['r'],
    icon: RotateCw,
    run: ({ active }) => active.rotate(90),
    isPossible: isOfSlices,
  },
  {
    id: 'flipHorizontally',
    group: 'picture',
    keys: ['h'],
    icon: FlipHorizontal,
    run: ({ active }) => active.update({ isFlippedHorizontally: !active.view.isFlippedHorizontally }),
    isOn: ({ active }) => active.view.isFlippedHorizontally,
    isPossible: isOfSlices,
  },
  {
    id: 'flipVertically',
    group: 'picture',
    keys: ['v'],
    icon: FlipVertical,
    run: ({ active }) => active.update({ isFlippedVertically: !active.view.isFlippedVertically }),
    isOn: ({ active }) => active.view.isFlippedVertically,
    isPossible: isOfSlices,
  },
  {
    id: 'fit',
    group: 'picture',
    keys: ['f'],
    icon: Maximize,
    run: ({ active, planes }) => (planes ? planes.fit(planes.active) : active.fit()),
  },
  {
    id: 'oneToOne',
    group: 'picture',
    keys: ['0', '='],
    icon: Scaling,
    run: ({ active }) => {
      if (!active.oneToOneMm()) say('noSpacing');
    },
    isPossible: isOfSlices,
  },
  {
    id: 'zoomIn',
    group: 'picture',
    keys: ['+'],
    icon: ZoomIn,
    run: ({ active, planes }) => (planes ? planes.zoomBy(1.25) : active.zoomBy(1.25)),
    repeats: true,
  },
  {
    id: 'zoomOut',
    group: 'picture',
    keys: ['-'],
    icon: ZoomOut,
    run: ({ active, planes }) => (planes ? planes.zoomBy(0.8) : active.zoomBy(0.8)),
    repeats: true,
  },
  {
    id: 'reset',
    group: 'picture',
    keys: ['Backspace'],
    icon: Undo,
    run: ({ active, planes }) => (planes ? planes.reset() : active.reset()),
  },

  {
    id: 'layout',
    group: 'layout',
    keys: ['g'],
    icon: Grid2x2,
    run: (page) => (page.isLayoutOpen = !page.isLayoutOpen),
    isOn: (page) => page.isLayoutOpen,
  },
  {
    id: 'linked',
    group: 'layout',
    keys: ['u'],
    icon: Link2,
    run: (page) => page.linked.toggle(),
    isOn: (page) => page.linked.isOn,
    isPossible: (page) => page.shown.length > 1,
  },
  {
    id: 'planes',
    group: 'layout',
    keys: ['x'],
    icon: Box,
    run: (page) => page.useLayout(page.layout === 'planes' ? '1x1' : 'planes'),
    isOn: (page) => page.layout === 'planes',
  },
  slab('thinner', '[', (planes) => planes.setSlab(planes.slabMm - 1)),
  slab('thicker', ']', (planes) => planes.setSlab(planes.slabMm + 1)),
  slab('projection', '\\', (planes) => planes.nextProjection()),
  {
    id: 'beside',
    group: 'layout',
    keys: ['y'],
    icon: Columns2,
    run: (page) => void page.showPriorBeside(),
    isPossible: (page) => (page.study.value?.other_studies.length ?? 0) > 0,
  },

  {
    id: 'strip',
    group: 'panels',
    keys: ['j'],
    icon: PanelLeft,
    run: (page) => (page.isStripOpen = !page.isStripOpen),
    isOn: (page) => page.isStripOpen,
  },
  {
    id: 'overlays',
    group: 'panels',
    keys: ['o'],
    icon: Eye,
    run: (page) => (page.hasOverlays = !page.hasOverlays),
    isOn: (page) => page.hasOverlays,
  },
  panel('measurements', 'k', ListChecks),
  panel('attributes', 't', Tags),
  panel('why', '/', CircleQuestionMark),
  { id: 'copyLink', group: 'panels', keys: [], icon: Link, run: copyLink },
  { id: 'save', group: 'panels', keys: [], icon: Camera, run: (page) => (page.isSaving = true) },
  {
    id: 'shortcuts',
    group: 'panels',
    keys: ['?'],
    icon: Keyboard,
    run: (page) => (page.isSheetOpen = !page.isSheetOpen),
    isOn: (page) => page.isSheetOpen,
  },
  { id: 'back', group: 'panels', keys: ['Escape'], icon: X, run: (page) => page.stepBack() },
];

/** Signs of things in the sheet that have no command of their own. */
export const OTHER_ICONS = { window: SunMedium, cell: SquareDashed, series: GalleryVerticalEnd, info: Info };

const byId = new Map(COMMANDS.map((command) => [command.id, command]));

export function command(id: CommandId): Command {
  const found = byId.get(id);
  if (!found) throw new Error(`No command ${id}`);
  return found;
}

/** How a key is called in the table: letters small, digits with Shift by their place on the keyboard. */
export function keyOf({ key, code, shiftKey }: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey'>): string {
  if (shiftKey && /^Digit\d$/.test(code)) return `Shift+${code}`;
  return key.length === 1 ? key.toLowerCase() : key;
}

/** Whether a key is a single character: those may be switched off (WCAG 2.1.4). */
export const isCharacterKey = (key: string) => key.length === 1 && key !== ' ';

export const isPossible = (one: Command, page: ViewerPage) => one.isPossible?.(page) ?? true;

export function findCommand(key: string, page: ViewerPage): Command | null {
  return COMMANDS.find((one) => one.keys.includes(key) && isPossible(one, page)) ?? null;
}
