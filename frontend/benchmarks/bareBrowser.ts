/**
 * A browser that nobody watches but by a few commands of the DevTools protocol: Playwright has each page keep what came
 * over the network, 100 MB of it, which is no memory of the page.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { chromium } from '@playwright/test';
import type { Processes } from './processes';

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

interface Waiting {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

export class BareBrowser {
  readonly #process: ChildProcess;
  readonly #in: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #rest = '';
  #session = '';

  private constructor(profile: string, options: string[]) {
    const program = process.env.CHROMIUM_PATH ?? chromium.executablePath();
    const always = [
      '--headless=new',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      '--no-first-run',
    ];
    this.#process = spawn(program, [...always, ...options, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#in = this.#process.stdio[3] as Writable;
    (this.#process.stdio[4] as Readable).on('data', (data: Buffer) => this.#take(data.toString()));
  }

  /** Starts it with one page of the given size. */
  static async start(profile: string, options: string[], size: { width: number; height: number }) {
    const browser = new BareBrowser(profile, [...options, `--window-size=${size.width},${size.height}`]);
    const { targetInfos } = (await browser.#send('Target.getTargets')) as {
      targetInfos: { type: string; targetId: string }[];
    };
    const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
    const attached = await browser.#send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = attached.sessionId as string;
    return browser;
  }

  async open(url: string): Promise<void> {
    await this.#send('Page.navigate', { url }, this.#session);
  }

  /** The value of an expression in the page; promises are waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result } = await this.#send('Runtime.evaluate', options, this.#session);
    return (result as { value?: unknown }).value;
  }

  async waitFor(expression: string, milliseconds = 300_000): Promise<void> {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      if ((await this.evaluate(expression).catch(() => false)) === true) return;
      await new Promise((later) => setTimeout(later, 100));
    }
    throw new Error(`The page never came to ${expression}`);
  }

  async processes(): Promise<Processes> {
    return (await this.#send('SystemInfo.getProcessInfo')).processInfo as Processes;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    this.#process.kill('SIGTERM');
    await ended;
  }

  #send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#in.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    return answer;
  }

  #take(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message) as Answer;
      const waiting = this.#waiting.get(id ?? 0);
      this.#waiting.delete(id ?? 0);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
    }
  }
}
