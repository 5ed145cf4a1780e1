// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { announcer } from './announcer.svelte';
import { covers } from './covers';
import { coverPage } from './pageCover';

function openPage(): HTMLElement {
  document.body.innerHTML =
    '<div id="place"><main><p>Doe, John</p><input value="half a"><canvas></canvas></main></div>';
  document.title = 'Viewer';
  return document.querySelector('main') as HTMLElement;
}

// jsdom has no modal dialogs.
beforeEach(() => {
  HTMLElement.prototype.querySelectorAll = new Proxy(HTMLElement.prototype.querySelectorAll, {
    apply: (query, element, [selector]) =>
      Reflect.apply(query, element, [selector === 'dialog:modal' ? 'dialog[data-modal]' : selector]),
  });
});

describe('coverPage', () => {
  it('leaves nothing of the page in the document', () => {
    announcer.say('Patient name: Doe, John');
    coverPage(openPage(), 'Log in again');
    expect(document.body.textContent).not.toContain('Doe');
    expect(document.querySelector('canvas')).toBeNull();
    expect(announcer.text).toBe('');
    expect(document.title).toBe('Log in again');
  });

  it('brings the very same elements back, with what was typed, and the focus', () => {
    const page = openPage();
    const input = document.querySelector('input') as HTMLInputElement;
    input.value = 'half a sentence';
    input.focus();
    coverPage(page, 'Log in again')();
    expect(document.querySelector('input')).toBe(input);
    expect(input.value).toBe('half a sentence');
    expect(document.activeElement).toBe(input);
    expect(document.title).toBe('Viewer');
  });

  it('brings nothing back into a place that left the document', () => {
    const uncover = coverPage(openPage(), 'Log in again');
    document.getElementById('place')?.remove();
    uncover();
    expect(document.body.textContent).toBe('');
    expect(document.title).toBe('Log in again');
  });

  it('tells who holds pixels, and again when they may come back', () => {
    const cover = { cover: vi.fn(), uncover: vi.fn() };
    const remove = covers.add(cover);
    const uncover = coverPage(openPage(), 'Log in again');
    expect(cover.cover).toHaveBeenCalledOnce();
    expect(cover.uncover).not.toHaveBeenCalled();
    uncover();
    expect(cover.uncover).toHaveBeenCalledOnce();
    remove();
  });

  it('asks nothing of who came while the page was covered, or is gone', () => {
    const gone = { cover: vi.fn(), uncover: vi.fn() };
    const late = { cover: vi.fn(), uncover: vi.fn() };
    const remove = covers.add(gone);
    const uncover = coverPage(openPage(), 'Log in again');
    remove();
    const removeLate = covers.add(late);
    uncover();
    expect(gone.uncover).not.toHaveBeenCalled();
    expect(late.uncover).not.toHaveBeenCalled();
    removeLate();
  });
});
