/** What this browser remembers about how somebody likes to work. Nothing here gives any right. */
const KEY = 'imageserver.preferences';

interface Stored {
  shortcuts: boolean;
}

class Preferences {
  #stored = $state<Stored>(read());

  /** Single letters as keys can be switched off: they get in the way of speech input (WCAG 2.1.4). */
  get shortcuts(): boolean {
    return this.#stored.shortcuts;
  }

  set shortcuts(isOn: boolean) {
    this.#stored.shortcuts = isOn;
    try {
      // eslint-disable-next-line no-restricted-globals -- this file is the one that may
      localStorage.setItem(KEY, JSON.stringify(this.#stored));
    } catch {
      // Storage may be switched off; the choice then lasts as long as the page.
    }
  }
}

function read(): Stored {
  try {
    // eslint-disable-next-line no-restricted-globals -- this file is the one that may
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>;
    return { shortcuts: stored.shortcuts !== false };
  } catch {
    return { shortcuts: true };
  }
}

export const preferences = new Preferences();
