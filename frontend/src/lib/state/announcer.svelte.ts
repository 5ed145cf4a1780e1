/** What a screen reader should say without being asked; shown by the root layout's polite live region. */
class Announcer {
  #text = $state('');

  get text(): string {
    return this.#text;
  }

  say(text: string): void {
    this.#text = text;
  }

  /** What was said may name a patient; it goes with the page that said it. */
  clear(): void {
    this.#text = '';
  }
}

export const announcer = new Announcer();
