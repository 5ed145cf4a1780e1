import { readAuthStatus } from '$lib/api/auth';

/** How long a new password must be, told before somebody types one; null as long as the server has not said it. */
export class PasswordRule {
  #shortest = $state<number | null>(null);

  get shortest(): number | null {
    return this.#shortest;
  }

  async read(): Promise<void> {
    try {
      this.#shortest = (await readAuthStatus()).min_password_length;
    } catch {
      // Only the hint is shorter: the server refuses a short password in words.
    }
  }
}
