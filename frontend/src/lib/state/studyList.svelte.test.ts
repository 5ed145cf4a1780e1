// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionError, ProblemError } from '$lib/api/problem';
import { readStudies, type Study, type StudyAnswer, type StudyQuery } from '$lib/api/studies';
import { attention } from './attention';
import { ShownStudies } from './studyList.svelte';
import { parseAddress, toQuery } from './studyListAddress';

vi.mock('$lib/api/studies');

const study = (uid: string, members: Partial<Study> = {}) =>
  ({ study_instance_uid: uid, series_count: 1, ...members }) as Study;

const answer = (
  studies: Study[],
  { state = 'ready', total = studies.length }: { state?: string; total?: number } = {},
) =>
  ({
    list: {
      studies,
      total,
      index: { state, seen: 9, indexed: 9, refused: 0, pending: 0, remaining_seconds: null },
    },
    etag: `"${studies.length}"`,
  }) as StudyAnswer;

const query = (text = ''): StudyQuery => toQuery(parseAddress(new URLSearchParams()), text, new Date());
const uids = (list: ShownStudies) => list.rows?.map(({ study_instance_uid: uid }) => uid);
const lost = new ConnectionError('unreachable', 'http://a');
const asks = vi.mocked(readStudies);

let isHeld = false;
let stop = () => {};
let list: ShownStudies;

beforeEach(() => {
  vi.useFakeTimers();
  isHeld = false;
  list = new ShownStudies(() => isHeld);
  stop = list.follow();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.resetAllMocks();
});

describe('asking', () => {
  it('shows the last question asked, whatever arrives late', async () => {
    let answerFirst: (answer: StudyAnswer) => void = () => {};
    asks.mockImplementationOnce(() => new Promise((resolve) => (answerFirst = resolve)));
    asks.mockResolvedValue(answer([study('b')]));
    const first = list.ask(query('a'));
    await list.ask(query('ab'));
    answerFirst(answer([study('a')]));
    await first;
    expect(uids(list)).toEqual(['b']);
    expect(list.query?.query).toBe('ab');
  });

  it('keeps the rows until the next ones are there', async () => {
    asks.mockResolvedValueOnce(answer([study('a')]));
    await list.ask(query());
    asks.mockImplementationOnce(() => new Promise(() => {}));
    void list.ask(query('x'));
    expect(uids(list)).toEqual(['a']);
    expect(list.isBusy).toBe(true);
  });

  it('takes the rows away when a question fails: they would answer another one', async () => {
    asks.mockResolvedValueOnce(answer([study('a')]));
    await list.ask(query());
    asks.mockRejectedValueOnce(lost);
    await list.ask(query('x'));
    expect(list.rows).toBeNull();
    expect(list.error).toBe(lost);
    expect(list.lostContact).toBeNull();
  });

  it('tries a lost server again by itself, and never repeats a refused question', async () => {
    asks.mockRejectedValueOnce(lost);
    await list.ask(query());
    asks.mockResolvedValueOnce(answer([study('a')]));
    await vi.advanceTimersByTimeAsync(5000);
    expect(uids(list)).toEqual(['a']);
    asks.mockRejectedValue(new ProblemError(422, 'invalid_parameter', '', ''));
    await list.ask(query('y'));
    const before = asks.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asks).toHaveBeenCalledTimes(before);
  });
});

describe('following', () => {
  it('asks each second while files are read, else every 15 s, with the ETag', async () => {
    asks.mockResolvedValueOnce(answer([study('a')], { state: 'building' }));
    await list.ask(query());
    asks.mockResolvedValueOnce(answer([study('a'), study('b')]));
    asks.mockResolvedValue(null);
    await vi.advanceTimersByTimeAsync(1000);
    expect(uids(list)).toEqual(['a', 'b']);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(asks).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asks.mock.calls.map(([, etag]) => etag)).toEqual([null, '"1"', '"2"']);
  });

  it('announces new studies instead of moving the rows, and tells the true total', async () => {
    asks.mockResolvedValueOnce(answer([study('b'), study('c')], { total: 2 }));
    await list.ask(query());
    expect(list.news).toBeNull();
    asks.mockResolvedValueOnce(answer([study('a'), study('b', { series_count: 4 })], { total: 4 }));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(uids(list)).toEqual(['b', 'c']);
    expect(list.news).toEqual({ added: 2 });
    expect(list.total).toBe(4);
    expect(list.rows?.[0]?.series_count, 'what is shown is kept up to date').toBe(4);
    list.showNews();
    expect(uids(list)).toEqual(['a', 'b']);
    expect(list.news).toBeNull();
  });

  it('says that the list changed when studies only went', async () => {
    asks.mockResolvedValueOnce(answer([study('a'), study('b')]));
    await list.ask(query());
    asks.mockResolvedValueOnce(answer([study('b')]));
    await vi.advanceTimersByTimeAsync(15_000);
    expect(uids(list)).toEqual(['a', 'b']);
    expect(list.news).toEqual({ added: 0 });
  });

  it('fills itself while files are read, unless somebody is at work in it', async () => {
    asks.mockResolvedValueOnce(answer([study('b')], { state: 'building' }));
    await list.ask(query());
    asks.mockResolvedValueOnce(answer([study('a'), study('b')], { state: 'building' }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(uids(list)).toEqual(['a', 'b']);
    isHeld = true;
    asks.mockResolvedValueOnce(answer([study('0'), study('a'), study('b')], { state: 'building' }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(uids(list)).toEqual(['a', 'b']);
    expect(list.news).toEqual({ added: 1 });
  });

  it('keeps the rows of a server that falls silent, says as of when, and recovers', async () => {
    asks.mockResolvedValueOnce(answer([study('a')]));
    await list.ask(query());
    const heard = Date.now();
    asks.mockRejectedValueOnce(lost);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(uids(list)).toEqual(['a']);
    expect(list.lostContact).toEqual({ error: lost, since: heard });
    expect(list.error).toBeNull();
    asks.mockResolvedValueOnce(null);
    await vi.advanceTimersByTimeAsync(5000);
    expect(list.lostContact).toBeNull();
  });

  it('looks at once when the network goes or comes', async () => {
    asks.mockResolvedValueOnce(answer([study('a')]));
    await list.ask(query());
    asks.mockRejectedValueOnce(new ConnectionError('offline', 'http://a'));
    dispatchEvent(new Event('offline'));
    await vi.advanceTimersByTimeAsync(0);
    expect(list.lostContact).not.toBeNull();
    asks.mockResolvedValueOnce(null);
    dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(list.lostContact).toBeNull();
  });

  it('stops asking while nobody is there, so that the session can end', async () => {
    asks.mockResolvedValue(answer([study('a')]));
    await list.ask(query());
    vi.spyOn(attention, 'quietFor', 'get').mockReturnValue(6 * 60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asks).toHaveBeenCalledTimes(1);
  });

  it('forgets everything with the page', async () => {
    asks.mockResolvedValue(answer([study('a')]));
    await list.ask(query());
    stop();
    expect(list.rows).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asks).toHaveBeenCalledTimes(1);
  });
});
