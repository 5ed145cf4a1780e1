/** The click that a session's end left unanswered, finished once the same person is back. In memory only. */
export type Click = 'name' | 'image';

let kept: { click: Click; username: string } | null = null;

export const pendingClick = {
  keep(click: Click, username: string | null): void {
    kept = username === null ? null : { click, username };
  },

  /** What `username` had asked for, once. Nobody else's click is ever repeated. */
  take(username: string | null): Click | null {
    const click = kept && kept.username === username ? kept.click : null;
    kept = null;
    return click;
  },
};
