import { beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireStack, findSlice, releaseStack } from './registry';
import { Stack, type StackListener } from './stack';

const choice = (uid: string) => ({ seriesInstanceUid: uid, studyInstanceUid: 's', stack: null });
const options = { budget: 1, isWindowed: false };

function fakeStack(name: string) {
  const listeners: StackListener[] = [];
  return {
    imageIds: [`slice:${name}`],
    close: vi.fn(),
    listen: (listener: StackListener) => listeners.push(listener),
    goStale: () => listeners.forEach((listener) => listener.onstale()),
  };
}

let opened: ReturnType<typeof fakeStack>[] = [];

beforeEach(() => {
  opened = [];
  vi.spyOn(Stack, 'open').mockImplementation(async ({ seriesInstanceUid }) => {
    const stack = fakeStack(seriesInstanceUid);
    opened.push(stack);
    return stack as unknown as Stack;
  });
});

describe('stacks', () => {
  it('are opened once for all who show them, and closed by the last', async () => {
    const [a, b] = [acquireStack(choice('1'), 0, options), acquireStack(choice('1'), 5, options)];
    expect(await a).toBe(await b);
    releaseStack(a);
    releaseStack(a);
    expect(opened[0]?.close).not.toHaveBeenCalled();
    expect(findSlice('slice:1')?.index).toBe(0);
    releaseStack(b);
    expect(opened[0]?.close).toHaveBeenCalledOnce();
    expect(findSlice('slice:1')).toBeUndefined();
  });

  it('that failed are opened anew, and giving back the failed one harms nobody', async () => {
    vi.spyOn(Stack, 'open').mockRejectedValueOnce(new Error('no line'));
    const failed = acquireStack(choice('2'), 0, options);
    await expect(failed).rejects.toThrow('no line');
    await acquireStack(choice('2'), 0, options);
    releaseStack(failed);
    expect(opened[0]?.close).not.toHaveBeenCalled();
  });

  it('of which files changed are opened anew', async () => {
    const old = acquireStack(choice('3'), 0, options);
    await old;
    opened[0]?.goStale();
    const next = acquireStack(choice('3'), 0, options);
    releaseStack(old);
    expect(opened[0]?.close).toHaveBeenCalledOnce();
    expect(await next).toBe(opened[1]);
    expect(findSlice('slice:3')?.stack).toBe(opened[1]);
  });

  it('that nobody wants any more when they come are closed at once', async () => {
    const lease = acquireStack(choice('4'), 0, options);
    releaseStack(lease);
    await lease;
    expect(opened[0]?.close).toHaveBeenCalledOnce();
  });
});
