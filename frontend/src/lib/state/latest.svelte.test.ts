import { describe, expect, it, vi } from 'vitest';
import { SignedOutError } from '$lib/api/problem';
import { Latest } from './latest.svelte';

function question() {
  let answer: (value: string) => void = () => {};
  let fail: (reason: unknown) => void = () => {};
  let signal: AbortSignal | undefined;
  const ask = (given: AbortSignal) => {
    signal = given;
    return new Promise<string>((resolve, reject) => ([answer, fail] = [resolve, reject]));
  };
  return {
    ask,
    answer: (v: string) => answer(v),
    fail: (e: unknown) => fail(e),
    isAborted: () => signal?.aborted,
  };
}

describe('Latest', () => {
  it('shows the answer to the last question, whichever comes first', async () => {
    const latest = new Latest<string>();
    const [first, second] = [question(), question()];
    const asked = [latest.ask(first.ask), latest.ask(second.ask)];
    expect(first.isAborted()).toBe(true);
    second.answer('second');
    first.answer('first');
    await Promise.all(asked);
    expect(latest.value).toBe('second');
  });

  it('keeps the old value until the new one is there, and drops it when that fails', async () => {
    const latest = new Latest<string>();
    await latest.ask(async () => 'old');
    const next = question();
    const asked = latest.ask(next.ask);
    expect(latest.value).toBe('old');
    expect(latest.isBusy).toBe(true);
    next.fail(new Error('broken'));
    await asked;
    expect(latest.value).toBeNull();
    expect(latest.error).toEqual(new Error('broken'));
    expect(latest.isBusy).toBe(false);
  });

  it('is slow after 400 ms', async () => {
    vi.useFakeTimers();
    const latest = new Latest<string>();
    const { ask, answer } = question();
    const asked = latest.ask(ask);
    vi.advanceTimersByTime(399);
    expect(latest.isSlow).toBe(false);
    vi.advanceTimersByTime(1);
    expect(latest.isSlow).toBe(true);
    answer('x');
    await asked;
    expect(latest.isSlow).toBe(false);
    vi.useRealTimers();
  });

  it('gives back what a value held: replaced, forgotten or late', async () => {
    const released: string[] = [];
    const latest = new Latest<string>((value) => released.push(value));
    await latest.ask(async () => 'one');
    await latest.ask(async () => 'two');
    expect(released).toEqual(['one']);
    const late = question();
    const asked = latest.ask(late.ask);
    latest.clear();
    expect(released).toEqual(['one', 'two']);
    late.answer('late');
    await asked;
    expect(released).toEqual(['one', 'two', 'late']);
  });

  it('asks again', async () => {
    const latest = new Latest<string>();
    const ask = vi.fn().mockRejectedValueOnce(new Error()).mockResolvedValueOnce('there');
    await latest.ask(ask);
    await latest.retry();
    expect(latest.value).toBe('there');
    expect(latest.error).toBeNull();
  });

  it('is silent about the end of the session', async () => {
    const latest = new Latest<string>();
    await latest.ask(() => Promise.reject(new SignedOutError()));
    expect(latest.error).toBeNull();
  });
});
