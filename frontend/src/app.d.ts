declare global {
  /** From package.json, put in by the build. */
  const __VERSION__: string;

  namespace App {
    interface Error {
      message: string;
      /** What the person can do about it, when there is something. */
      hint?: string;
    }

    interface PageState {
      /** What was typed into the search of the study list, and who typed it. */
      studySearch?: { text: string; username: string };
    }
  }
}

export {};
