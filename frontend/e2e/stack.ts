/** The whole system for journeys: the real API on a real database, and the built pages, in a folder of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const FRONTEND = resolve(import.meta.dirname, '..');
const BACKEND = resolve(FRONTEND, '../backend');
const PYTHON = process.env.IMAGESERVER_PYTHON ?? resolve(FRONTEND, '../.venv/bin/python');
const START_MS = 60_000;
/** Real files, which the project does not carry. */
export const CORPUS = process.env.DICOM_CORPUS_DIR;

export const ACCOUNT = { username: 'anna', password: 'four quiet winter mornings' };

export interface Uids {
  head: string;
  thick: string;
  prior: string;
  hostile: string;
  localizer: string;
  damaged: string;
}

/** What was written, in base64; slices and frames in order. */
export interface MadeStudy {
  study: string;
  series: string;
  instances: { sop: string; file: string; pixels: string }[];
}

export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), 'imageserver-journey-'));
  readonly data = join(this.folder, 'data');
  readonly #processes = new Map<string, ChildProcess>();
  #log = '';

  private constructor(
    readonly apiPort: number,
    readonly webPort: number,
    readonly settings: Record<string, string>,
  ) {
    mkdirSync(this.data);
  }

  static async start(
    settings: (ports: { apiPort: number }) => Record<string, string> = () => ({}),
  ): Promise<Stack> {
    const [apiPort, webPort] = [await findFreePort(), await findFreePort()];
    const stack = new Stack(apiPort, webPort, settings({ apiPort }));
    try {
      await Promise.all([stack.startApi(), stack.startWeb()]);
    } catch (error) {
      await stack.stop(); // whichever of the two did start
      throw error;
    }
    return stack;
  }

  /** What the API wrote so far. */
  get log(): string {
    return this.#log;
  }

  get webUrl(): string {
    return `http://localhost:${this.webPort}`;
  }

  get apiUrl(): string {
    return `http://localhost:${this.apiPort}`;
  }

  /** The one-time link from the log, which comes once the database is ready. */
  async readSetupLink(): Promise<string> {
    const end = Date.now() + START_MS;
    while (Date.now() < end) {
      const link = /http:\/\/\S+\/setup#code=[\w-]+/.exec(this.#log)?.[0];
      if (link) return link;
      await new Promise((later) => setTimeout(later, 50));
    }
    throw new Error(`No set-up link in the log:\n${this.#log}`);
  }

  /** Puts the series of `backend/tests/journey_data.py` into the data directory. */
  writeData(...series: (keyof Uids)[]): Uids {
    const made = join(this.folder, 'made');
    if (existsSync(made)) rmSync(made, { recursive: true });
    const output = execFileSync(PYTHON, ['-m', 'tests.journey_data', made], {
      cwd: BACKEND,
      encoding: 'utf8',
    });
    for (const name of series) cpSync(join(made, name), join(this.data, name), { recursive: true });
    return JSON.parse(output) as Uids;
  }

  /** Puts studies of `backend/tests/studies_data.py` into the data directory: with the number 0 the odd ones, too. */
  writeStudies(first: number, count: number): void {
    const numbers = [String(first), String(count)];
    execFileSync(PYTHON, ['-W', 'ignore', '-m', 'tests.studies_data', this.data, ...numbers], {
      cwd: BACKEND,
    });
  }

  /** Puts what `backend/tests/viewer_data.py` makes, and the files of pydicom, into the data directory. */
  writeViewerData(): void {
    execFileSync(PYTHON, ['-m', 'tests.viewer_data', this.data], { cwd: BACKEND });
  }

  /** Puts the series of `backend/tests/bad_input_data.py` into the data directory, each in a folder of its name; their UIDs. */
  writeBadInput(): Record<
    'many' | 'mixed' | 'zero' | 'film' | 'report' | 'long' | 'arabic' | 'removed',
    string
  > {
    const command = ['-W', 'ignore', '-m', 'tests.bad_input_data', this.data];
    const output = execFileSync(PYTHON, command, { cwd: BACKEND, encoding: 'utf8' });
    return JSON.parse(output) as ReturnType<typeof this.writeBadInput>;
  }

  /** Puts the series of `backend/tests/measuring_data.py` into the data directory; their UIDs by name. */
  writeMeasuringData(): Record<'phantom' | 'unscaled' | 'chest' | 'ultrasound', string> {
    const command = ['-m', 'tests.measuring_data', this.data];
    const output = execFileSync(PYTHON, command, { cwd: BACKEND, encoding: 'utf8' });
    return JSON.parse(output) as ReturnType<typeof this.writeMeasuringData>;
  }

  /**
   * Writes the studies of `backend/tests/dicomweb_data.py`, and puts those named into the data directory; what is in
   * all of them.
   */
  writeDicomwebData(...studies: ('head' | 'film' | 'new')[]): Record<'head' | 'film' | 'new', MadeStudy> {
    const made = join(this.folder, 'made');
    const output = execFileSync(PYTHON, ['-m', 'tests.dicomweb_data', made], {
      cwd: BACKEND,
      encoding: 'utf8',
    });
    for (const name of studies) cpSync(join(made, name), join(this.data, name), { recursive: true });
    return JSON.parse(output) as ReturnType<typeof this.writeDicomwebData>;
  }

  /**
   * Puts real files into the data directory: a folder, or one file, of the corpus that `DICOM_CORPUS_DIR` names.
   * Journeys that need it are skipped without (`test.skip(!CORPUS, …)`).
   */
  copyCorpus(...names: string[]): void {
    if (!CORPUS) throw new Error('DICOM_CORPUS_DIR is not set.');
    for (const name of names) cpSync(join(CORPUS, name), join(this.data, name), { recursive: true });
  }

  /** Adds an account by the command line, as an administrator does. */
  addUser({ username, password }: typeof ACCOUNT): void {
    const file = join(this.folder, `password of ${username}`);
    writeFileSync(file, password, { mode: 0o600 });
    const command = ['-m', 'imageserver', 'user', 'add', username, '--password-file', file];
    execFileSync(PYTHON, command, { cwd: BACKEND, env: this.#environment() });
  }

  async startApi(): Promise<void> {
    this.#spawn('api', PYTHON, ['-m', 'imageserver', 'serve'], BACKEND);
    await answers(`http://127.0.0.1:${this.apiPort}/readyz`, () => this.#log);
  }

  async startWeb(): Promise<void> {
    this.#spawn('web', process.execPath, ['server.js'], FRONTEND);
    await answers(`http://127.0.0.1:${this.webPort}/healthz`, () => this.#log);
  }

  stopApi(): Promise<void> {
    return this.#end('api');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((name) => this.#end(name)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(name: string, program: string, options: string[], cwd: string): void {
    const process = spawn(program, options, {
      cwd,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => (this.#log += chunk.toString());
    process.stdout.on('data', keep);
    process.stderr.on('data', keep);
    this.#processes.set(name, process);
  }

  /** Settings of the person who runs the journeys stay out. */
  #environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('IMAGESERVER_'));
    return {
      ...Object.fromEntries(inherited),
      IMAGESERVER_DATA_DIR: this.data,
      IMAGESERVER_STATE_DIR: join(this.folder, 'state'),
      IMAGESERVER_PORT: String(this.apiPort),
      IMAGESERVER_WEB_PORT: String(this.webPort),
      ...this.settings,
    };
  }

  async #end(name: string): Promise<void> {
    const process = this.#processes.get(name);
    this.#processes.delete(name);
    if (!process || process.exitCode !== null) return;
    const ended = new Promise((done) => process.once('exit', done));
    process.kill('SIGTERM');
    const force = setTimeout(() => process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(force);
  }
}

function findFreePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? found(address.port) : failed(address)));
    });
  });
}

async function answers(url: string, log: () => string): Promise<void> {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    const isUp = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error(`Nothing answers at ${url}:\n${log()}`);
}
