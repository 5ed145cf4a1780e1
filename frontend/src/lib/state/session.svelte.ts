/**
 * Who is signed in. Owns the access token (in memory only) and is the one place that ends a session here.
 *
 * Pages follow `phase` and `username`; everything about a patient lives in components below the signed-in layout
 * and is destroyed with it.
 */
import * as auth from '$lib/api/auth';
import { useCredentials, type Credentials } from '$lib/api/client';
import { ProblemError, SignedOutError } from '$lib/api/problem';
import type { Me } from '$lib/api/types';
import { type Notice, notices } from '$lib/messages';
import { attention } from './attention';
import { AwaitedReturn } from './awaitedReturn';
import { Tabs, type EndReason, type TabGrant, type TabMessage } from './tabs';
import { isLogOutUnfinished, noteUnfinishedLogOut } from './unfinishedLogOut';

/**
 * `checking`: not known yet, or being asked again; nothing of a patient may be on the page.
 * `interrupted`: the session ended by itself; the page is covered and keeps its work for the same person.
 */
export type Phase = 'checking' | 'signed-out' | 'signed-in' | 'interrupted' | 'leaving';

/** How soon a page that asks for nothing else hears that its session was ended. */
const LOOK_EVERY_MS = 15_000;
/** Without a sign of life for this long nobody is looking; asking on would keep the session from ending. */
const ATTENTION_MS = 5 * 60_000;

/** A token that ends this soon is not worth sending. */
const TOKEN_MARGIN_MS = 5_000;

export class Session implements Credentials {
  #phase = $state<Phase>('checking');
  #grant = $state.raw<TabGrant | null>(null);
  #me = $state.raw<Me | null>(null);
  #notice = $state.raw<Notice | null>(null);
  #checkError = $state.raw<unknown>(null);
  /** Whose work waits behind the cover. */
  #interrupted: string | null = null;
  readonly #return = new AwaitedReturn();
  #endedBy: EndReason | null = null;
  #start: Promise<void> | null = null;
  #renewal: Promise<void> | null = null;
  #endTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #tabs = new Tabs((message) => this.#hear(message));

  get phase(): Phase {
    return this.#phase;
  }

  /** Whose page this is: who is signed in, or was until the session ended by itself. */
  get username(): string | null {
    return this.#grant?.username ?? this.#interrupted;
  }

  /** Role, start and end of the session; null until the server told. */
  get me(): Me | null {
    return this.#me;
  }

  /** One sentence for the next page: why the person is here. */
  get notice(): Notice | null {
    return this.#notice;
  }

  /** True after a log-out, false after a session that ran out: whether to come back to the same page. */
  get loggedOut(): boolean {
    return this.#endedBy === 'logged-out';
  }

  /** Why it could not be found out who is signed in. */
  get checkError(): unknown {
    return this.#checkError;
  }

  get token(): string | null {
    const grant = this.#grant;
    return grant && grant.expiresAt - TOKEN_MARGIN_MS > Date.now() ? grant.token : null;
  }

  /** Leaves a sentence for the next page. */
  welcome(notice: Notice): void {
    this.#notice = notice;
  }

  dismissNotice(): void {
    this.#notice = null;
  }

  /** Finds out who is signed in, by the session cookie. Throws where the server cannot be asked. */
  start(): Promise<void> {
    if (this.#phase !== 'checking') return Promise.resolve();
    this.#start ??= this.#findOut().finally(() => (this.#start = null));
    return this.#start;
  }

  async #findOut(): Promise<void> {
    this.#checkError = null;
    if (isLogOutUnfinished()) return this.finishLogOut();
    try {
      await this.renew(null);
    } catch (error) {
      if (error instanceof SignedOutError) return;
      this.#checkError = error;
      throw error;
    }
  }

  /** Asks again who is signed in, with nothing on the page meanwhile. */
  async check(): Promise<void> {
    if (this.#phase !== 'signed-in') return;
    const before = this.#grant;
    this.#phase = 'checking';
    this.#grant = before && { ...before, expiresAt: 0 };
    await this.start();
  }

  async logIn(username: string, password: string): Promise<void> {
    const answer = await auth.logIn(username, password);
    noteUnfinishedLogOut(false);
    const expiresAt = Date.now() + answer.expires_in * 1000;
    // The server decides how a name is written; a token that cannot even say whose it is signs nobody in.
    const me = await auth.readMe(answer.access_token);
    const { username: name, session } = me;
    const isOther = this.#interrupted !== null && this.#interrupted !== name;
    this.#accept({ token: answer.access_token, expiresAt, username: name, sessionId: session.id }, true);
    this.#notice = isOther ? notices.startedAfresh(name) : null;
    this.#learn(me);
  }

  /** Ends the session here and in every tab at once, then on the server. */
  async logOut(everywhere = false): Promise<void> {
    const token = this.#grant?.token ?? null;
    this.#forget('leaving');
    this.#tabs.tell({ type: 'signed-out', reason: 'logged-out' });
    this.#endedBy = 'logged-out';
    noteUnfinishedLogOut(true);
    await this.#logOutOnServer(token, everywhere);
  }

  /** Tells the server about a log-out that did not reach it. */
  async finishLogOut(): Promise<void> {
    this.#forget('leaving');
    await this.#logOutOnServer(null, false);
  }

  async #logOutOnServer(token: string | null, everywhere: boolean): Promise<void> {
    try {
      await auth.logOut(token, everywhere);
      noteUnfinishedLogOut(false);
      this.#notice = everywhere ? notices.loggedOutEverywhere : notices.loggedOut;
    } catch {
      this.#notice = notices.loggedOutOnlyHere;
    }
    this.#phase = 'signed-out';
  }

  /**
   * See `Credentials`. Requests of this tab share one renewal; tabs take turns and use each other's answer. Where the
   * session is over, requests of an open page wait until its person has logged in again.
   */
  async renew(rejected: string | null): Promise<void> {
    if (this.#hasOtherToken(rejected)) return;
    if (this.#interrupted !== null) return this.#return.wait();
    this.#renewal ??= this.#tabs
      .oneAtATime(() => this.#renewNow(rejected))
      .finally(() => (this.#renewal = null));
    try {
      await this.#renewal;
    } catch (error) {
      if (this.#interrupted === null || !(error instanceof SignedOutError)) throw error;
      await this.#return.wait();
    }
  }

  #hasOtherToken(rejected: string | null): boolean {
    return this.token !== null && this.token !== rejected;
  }

  async #renewNow(rejected: string | null): Promise<void> {
    if (!['checking', 'signed-in'].includes(this.#phase)) throw new SignedOutError();
    if (this.#hasOtherToken(rejected)) return;
    const before = this.username;
    let answer;
    try {
      answer = await auth.refresh();
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) throw this.#end(error.code, before);
      throw error;
    }
    // Somebody logged out while the answer was on its way: it must not bring the session back.
    if (!['checking', 'signed-in'].includes(this.#phase)) throw new SignedOutError();
    const { access_token: token, username, session_id: sessionId } = answer;
    const isNews = username !== before || this.#me === null;
    this.#accept({ token, expiresAt: Date.now() + answer.expires_in * 1000, username, sessionId }, true);
    if (isNews) void this.#askMe();
    // What was asked for as one person is never answered as another.
    if (before !== null && username !== before) throw new SignedOutError();
  }

  #accept(grant: TabGrant, tell: boolean): void {
    const before = this.username;
    if (before !== null && before !== grant.username) {
      this.#me = null;
      this.#notice = notices.otherUser(grant.username);
    }
    this.#grant = grant;
    this.#endedBy = null;
    this.#interrupted = null;
    this.#phase = 'signed-in';
    if (before === grant.username) this.#return.come();
    else this.#return.giveUp();
    if (tell) this.#tabs.tell({ type: 'signed-in', grant });
  }

  async #askMe(): Promise<void> {
    try {
      this.#learn(await auth.readMe());
    } catch {
      // Only the account menu shows it; the requests that matter report their own failures.
    }
  }

  /** Keeps what the server says about the session, and looks when it should have ended. */
  #learn(me: Me): void {
    if (me.username !== this.username) return;
    this.#me = me;
    this.#planLook();
  }

  #planLook(): void {
    clearTimeout(this.#endTimer);
    const left = this.#timeLeft();
    if (left !== null) this.#endTimer = setTimeout(() => void this.lookAgain(), Math.max(left, 0) + 1000);
  }

  /** Milliseconds until the session is over, by age or because nobody does anything. */
  #timeLeft(): number | null {
    if (!this.#me) return null;
    const { expires, idle_seconds: idle } = this.#me.session;
    const age = Date.parse(expires) - Date.now();
    const left = Math.min(age, idle * 1000 - attention.quietFor);
    return Number.isNaN(left) ? null : left;
  }

  /** Asks from time to time whether the session still lasts, for pages that have everything; returns how to stop. */
  follow(): () => void {
    const timer = setInterval(() => {
      const isWatched = document.visibilityState === 'visible' && attention.quietFor < ATTENTION_MS;
      if (this.#phase === 'signed-in' && isWatched) void this.#askMe();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }

  /** Ends the session if its time is up: also after sleep, when timers did not run. */
  async lookAgain(): Promise<void> {
    const left = this.#timeLeft();
    if (this.#phase !== 'signed-in' || left === null) return;
    if (left > 0) return this.#planLook();
    // The server may have heard from this browser a little later: it is told rather than waited for.
    const token = this.#grant?.token ?? null;
    this.#end('session_ended', this.username);
    await auth.logOut(token, false).catch(() => noteUnfinishedLogOut(true));
  }

  #end(code: string, who: string | null): SignedOutError {
    this.#stop('session-ended', who !== null || code === 'session_ended' ? notices.sessionEnded : null);
    if (who !== null) this.#tabs.tell({ type: 'signed-out', reason: 'session-ended' });
    return new SignedOutError();
  }

  /** A page that is open when its session ends by itself waits for its person; everything else leaves. */
  #stop(reason: EndReason, notice: Notice | null): void {
    const who = this.username;
    this.#endedBy = reason;
    if (reason === 'session-ended' && this.#phase === 'signed-in') {
      this.#forget('interrupted');
      this.#interrupted = who;
      this.#return.begin();
    } else {
      this.#forget('signed-out');
      this.#notice = notice ?? this.#notice;
    }
  }

  #hear(message: TabMessage): void {
    if (message.type === 'signed-in') {
      if (this.#phase !== 'leaving') this.#accept(message.grant, false);
      if (this.#me?.session.id !== message.grant.sessionId) void this.#askMe();
    } else if (this.#phase === 'interrupted' && message.reason === 'session-ended') {
      // This tab knows already.
    } else if (['checking', 'signed-in', 'interrupted'].includes(this.#phase)) {
      const isLogOut = message.reason === 'logged-out';
      this.#stop(message.reason, isLogOut ? notices.loggedOutElsewhere : notices.sessionEnded);
    }
  }

  #forget(phase: Phase): void {
    clearTimeout(this.#endTimer);
    this.#grant = null;
    this.#me = null;
    this.#interrupted = null;
    this.#phase = phase;
    this.#return.giveUp();
  }

  /** Only tests need it: a page's session lives as long as the page. */
  close(): void {
    clearTimeout(this.#endTimer);
    this.#tabs.close();
  }
}

export const session = new Session();
useCredentials(session);
