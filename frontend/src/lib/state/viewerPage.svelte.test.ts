// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { cellLink } from './viewerLink';
import { mostAlike, ViewerPage } from './viewerPage.svelte';

const never = vi.hoisted(() => () => new Promise(() => {}));
vi.mock('$lib/api/volumes', () => ({ readVolume: never }));
vi.mock('$lib/api/patient', () => ({ readPatient: never }));
vi.mock('$lib/api/metadata', () => ({ readMetadata: never }));
vi.mock('$lib/api/studies', () => ({ readStudy: never }));
vi.mock('./sliceView.svelte', () => ({ loadSlice: never }));

type Other = Parameters<typeof mostAlike>[0];

let page: ViewerPage;

beforeEach(() => {
  page = new ViewerPage();
  page.open({ layout: '1x1', cells: [cellLink('1.1')], active: 0 });
});

const series = () => page.shown.map((cell) => cell.series);

describe('layouts', () => {
  test('a series beside another makes room for it', () => {
    page.showBeside('1.2');
    expect(page.layout).toBe('1x2');
    expect(series()).toEqual(['1.1', '1.2']);
    expect(page.activeIndex).toBe(1);
  });

  test('the active picture stays when places are taken away', () => {
    page.useLayout('2x2');
    page.show('1.4', 3);
    page.useLayout('1x1');
    expect(series()).toEqual(['1.4']);
    expect(page.activeIndex).toBe(0);
    expect(page.cells.map((cell) => cell.series)).toEqual(['1.4', null, null, null]);
  });

  test('a place that is not there cannot be filled or activated', () => {
    page.show('1.2', 3);
    page.activate(2);
    expect(series()).toEqual(['1.1']);
    expect(page.activeIndex).toBe(0);
  });

  test('the address follows', () => {
    page.showBeside('1.2');
    expect(page.address).toBe('/viewer/1.1?layout=1x2&cells=1.2&active=2');
  });
});

test('Escape closes what is open, one thing at a time, and leaves at last', () => {
  const leave = vi.fn();
  page.leave = leave;
  page.useTool('zoom');
  page.panel = 'why';
  page.isSheetOpen = true;
  page.stepBack();
  expect([page.isSheetOpen, page.panel]).toEqual([false, 'why']);
  page.stepBack();
  expect([page.panel, page.tool]).toEqual([null, 'zoom']);
  page.stepBack();
  expect(page.tool).toBe('window');
  expect(leave).not.toHaveBeenCalled();
  page.stepBack();
  expect(leave).toHaveBeenCalledOnce();
});

test('a finger begins with scrolling', () => {
  expect(new ViewerPage(true).tool).toBe('scroll');
});

describe('the series of another study that is most like the one shown', () => {
  const one = (series_instance_uid: string, modality: string, description: string, slice_count: number) => ({
    series_instance_uid,
    modality,
    description,
    slice_count,
    series_number: 1,
    verdict: 'volume',
    series_date: null,
    thumbnail: null,
  });
  const study = {
    series_instance_uid: '1',
    series: [
      one('1', 'MR', 'T1', 30),
      one('2', 'CT', 'Thin', 300),
      one('3', 'CT', 'Head', 60),
      one('4', 'CT', 'Head', 0),
    ],
  };

  test('has the same description, else the same modality, else stands for the study', () => {
    expect(mostAlike(study as Other, 'CT', 'Head')).toBe('3');
    expect(mostAlike(study as Other, 'CT', 'Lung')).toBe('2');
    expect(mostAlike(study as Other, 'US', null)).toBe('1');
    expect(mostAlike({ series: [], series_instance_uid: null } as Other, 'CT', null)).toBeNull();
  });
});
