/** What the browser's processes take, as the system sees it: memory, and time of the processor. */
import { readFileSync } from 'node:fs';
import type { Browser } from '@playwright/test';

export interface Memory {
  /** Bytes of the process that runs the page. */
  page: number;
  /** Bytes of the process that draws; without a graphics card its textures are here. */
  drawing: number;
}

/** Private and shared memory of a process, without the files that it maps (Linux). */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return 1024 * (kilobytes('RssAnon') + kilobytes('RssShmem'));
}

export type Processes = { type: string; id: number; cpuTime: number }[];

/** The processes of a browser that Playwright drives. */
export async function processesOf(browser: Browser): Promise<Processes> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo;
}

/** The largest page's process, and the one that draws. */
export function readMemory(processes: Processes): Memory {
  const largest = (type: string) =>
    Math.max(0, ...processes.filter((one) => one.type === type).map(({ id }) => residentBytes(id)));
  return { page: largest('renderer'), drawing: largest('GPU') };
}

/** Seconds of processor time that all processes of the browser took so far; hardly changed by what else runs. */
export async function readProcessorSeconds(browser: Browser): Promise<number> {
  return (await processesOf(browser)).reduce((sum, one) => sum + one.cpuTime, 0);
}
