// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { preferences } from '$lib/state/preferences.svelte';
import { ViewerPage } from '$lib/state/viewerPage.svelte';
import { texts } from '$lib/texts';
import { COMMANDS, keyOf } from './commands';
import { handleKey } from './keys';

let page: ViewerPage;

beforeEach(() => {
  page = new ViewerPage();
  preferences.shortcuts = true;
  document.body.innerHTML = '<input id="text"><button id="button"></button><input id="box" type="checkbox">';
});

function press(key: string, target: string | null = null, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  const element = target ? document.getElementById(target) : document.body;
  element?.addEventListener('keydown', (seen) => handleKey(seen as KeyboardEvent, page), { once: true });
  element?.dispatchEvent(event);
  return event;
}

test('no two commands share a key', () => {
  const keys = COMMANDS.flatMap((command) => command.keys);
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  expect(
    keys.filter((key) => /^[1-9]$/.test(key)),
    'digits choose windows',
  ).toEqual([]);
});

test('every command has a name and a line, and every text a command', () => {
  expect(COMMANDS.map(({ id }) => id).sort()).toEqual(Object.keys(texts.tools.commands).sort());
  for (const [name, line] of Object.values(texts.tools.commands)) expect(name && line).toBeTruthy();
});

describe('keys', () => {
  test('take tools in hand, also with a capital letter', () => {
    press('z');
    expect(page.tool).toBe('zoom');
    press('P', null, { shiftKey: true });
    expect(page.tool).toBe('pan');
  });

  test('are text where text is typed, and Escape leaves the field', () => {
    document.getElementById('text')?.focus();
    expect(press('z', 'text').defaultPrevented).toBe(false);
    expect(page.tool).toBe('window');
    press('Escape', 'text');
    expect(document.activeElement).toBe(document.body);
  });

  test('of the browser are left alone', () => {
    expect(press('r', null, { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(press('ArrowLeft', null, { altKey: true }).defaultPrevented).toBe(false);
  });

  test('that press a button press it', () => {
    expect(press(' ', 'button').defaultPrevented).toBe(false);
  });

  test('of single characters can be switched off, the others stay', () => {
    preferences.shortcuts = false;
    const step = vi.spyOn(page.active, 'step').mockImplementation(() => {});
    press('z');
    expect(page.tool).toBe('window');
    press('PageDown');
    expect(step).toHaveBeenCalledWith(10);
  });

  test('held down scroll on, but do not toggle', () => {
    const step = vi.spyOn(page.active, 'step').mockImplementation(() => {});
    press('ArrowDown', null, { repeat: true });
    expect(step).toHaveBeenCalledWith(1);
    press('o', null, { repeat: true });
    expect(page.hasOverlays).toBe(true);
  });

  test('with Shift and a digit activate a cell, on any keyboard', () => {
    page.useLayout('2x2');
    press('"', null, { shiftKey: true, code: 'Digit2' });
    expect(page.activeIndex).toBe(1);
    expect(keyOf({ key: '"', code: 'Digit2', shiftKey: true })).toBe('Shift+Digit2');
  });
});
