/** What a screen reader should say without being asked; shown by the root layout's polite live region. */
class Announcer {
  #text = $state('');

  get text(): string {
    return this.#text;
  }

  say(text: string): void {
    this.#text = text;
  }
}

export const announcer = new Announcer();
