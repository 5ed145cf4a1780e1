// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeServer, problem } from '$lib/measurements/fakeServer';
import type { MeasurementContent } from '$lib/measurements/types';
import { Measurements } from './measurements.svelte';

const place = {
  studyInstanceUid: '1.2',
  seriesInstanceUid: '1.2.3',
  sopInstanceUid: '1.2.3.4',
  frameNumber: 2,
};
const content = (label = '', changes: Partial<MeasurementContent> = {}): MeasurementContent => ({
  kind: 'length',
  label,
  place,
  points: [
    [0, 0],
    [3, 4],
  ],
  values: { length_mm: 5, calibration: 'patient' },
  ...changes,
});

let server: FakeServer;
let store: Measurements;
let user: string | null;
const wait = (milliseconds = 500) => vi.advanceTimersByTimeAsync(milliseconds);
const labels = () => store.all.map((entry) => entry.content.label);
const kept = () => [...server.rows.values()].map((row) => row.label);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  user = 'anna';
  store = new Measurements(() => user);
  return () => {
    store.clear();
    vi.useRealTimers();
  };
});

describe('a measurement', () => {
  it('is on the page at once and on the server soon after', async () => {
    const id = store.add(content('lesion'));
    expect(labels()).toEqual(['lesion']);
    expect(store.selectedId).toBe(id);
    expect([store.state, store.unsaved, store.isUnsaved]).toEqual(['saving', 1, true]);
    await wait();
    expect(server.rows.get(id)).toMatchObject({
      kind: 'length',
      label: 'lesion',
      series_instance_uid: '1.2.3',
      frame_number: 2,
      points: [
        [0, 0],
        [3, 4],
      ],
    });
    expect([store.state, store.unsaved, store.isUnsaved]).toEqual(['saved', 0, false]);
  });

  it('is there after a reload, on its image', async () => {
    store.add(content('lesion'));
    await wait();
    const again = new Measurements(() => user);
    await again.load('1.2.3');
    expect(again.on(place)).toHaveLength(1);
    expect(again.on({ ...place, frameNumber: 1 })).toEqual([]);
    expect(again.all[0]?.content).toEqual(content('lesion'));
    again.clear();
  });

  it('is saved for who turns out to be signed in, where the list was made before that was known', async () => {
    user = null;
    const early = new Measurements(() => user);
    user = 'anna';
    early.add(content('lesion'));
    await wait();
    expect(kept()).toEqual(['lesion']);
    early.clear();
  });

  it('is sent once for many changes in a row', async () => {
    const id = store.add(content());
    for (const label of ['l', 'le', 'les']) store.change(id, { label });
    await wait();
    expect(server.calls).toEqual([`PUT /measurements/${id}`]);
    expect(kept()).toEqual(['les']);
  });

  it('keeps what is changed while it is being sent', async () => {
    const id = store.add(content('first'));
    await wait(400);
    store.change(id, { label: 'second' });
    await wait();
    expect([kept(), store.state]).toEqual([['second'], 'saved']);
  });

  it('that came and went was never sent', async () => {
    const id = store.add(content());
    store.remove(id);
    await wait();
    expect([server.calls, store.state]).toEqual([[], 'saved']);
  });
});

describe('undo', () => {
  it('takes back adding, changing and removing, and does them again', async () => {
    const id = store.add(content('first'));
    store.change(id, { label: 'second' });
    store.remove(id);
    await wait();
    expect([labels(), kept()]).toEqual([[], []]);
    store.undo();
    expect(labels()).toEqual(['second']);
    store.undo();
    expect(labels()).toEqual(['first']);
    store.undo();
    expect([labels(), store.canUndo]).toEqual([[], false]);
    store.redo();
    store.redo();
    await wait();
    expect([labels(), kept(), store.canRedo]).toEqual([['second'], ['second'], true]);
  });

  it('brings back what the server has deleted already', async () => {
    const id = store.add(content('x'));
    await wait();
    store.remove(id);
    await wait();
    expect(kept()).toEqual([]);
    store.undo();
    await wait();
    expect([kept(), store.state]).toEqual([['x'], 'saved']);
  });

  it('ends where something else was done', () => {
    const id = store.add(content('first'));
    store.change(id, { label: 'second' });
    store.undo();
    store.change(id, { label: 'third' });
    expect(store.redo()).toBeNull();
  });

  it('does not know of values that were completed later', () => {
    const id = store.add(content('x'));
    store.complete(id, { length_mm: 6 });
    expect(store.all[0]?.content.values).toEqual({ length_mm: 6 });
    store.undo();
    expect(labels()).toEqual([]);
  });
});

describe('a server that cannot be reached', () => {
  it('is tried again until it answers, and nothing is lost', async () => {
    server.fault = () => 'unreachable';
    store.add(content('lesion'));
    await wait();
    expect([store.state, store.isUnsaved, labels()]).toEqual(['waiting', true, ['lesion']]);
    await wait(3000);
    expect(server.calls.length).toBeGreaterThan(2);
    server.fault = null;
    await wait(5000);
    expect([store.state, kept()]).toEqual(['saved', ['lesion']]);
  });

  it('waits longer and longer, at most half a minute', async () => {
    server.fault = () => 'unreachable';
    store.add(content());
    await wait(5 * 60_000);
    expect(server.calls.length).toBeGreaterThan(8);
    expect(server.calls.length).toBeLessThan(20);
  });

  it('is asked at once when the network is back', async () => {
    const stop = store.listen();
    server.fault = () => 'unreachable';
    store.add(content('lesion'));
    await wait(60_000);
    server.fault = null;
    window.dispatchEvent(new Event('online'));
    await wait(10);
    expect(kept()).toEqual(['lesion']);
    stop();
  });

  it.each([500, 502, 503, 429])('that answers %i is tried again', async (status) => {
    server.fault = () => problem(status, 'x');
    store.add(content('x'));
    await wait();
    expect(store.state).toBe('waiting');
    server.fault = null;
    await wait(2000);
    expect(kept()).toEqual(['x']);
  });

  it('keeps deletions, too', async () => {
    const id = store.add(content('x'));
    await wait();
    server.fault = () => 'unreachable';
    store.remove(id);
    await wait();
    expect([store.state, store.unsaved]).toEqual(['waiting', 1]);
    server.fault = null;
    await wait(5000);
    expect([store.state, kept()]).toEqual(['saved', []]);
  });
});

describe('an answer that was lost', () => {
  it('of a new measurement that was changed meanwhile is no conflict', async () => {
    server.fault = () => 'lost';
    const id = store.add(content('first'));
    await wait();
    expect(kept()).toEqual(['first']);
    server.fault = null;
    store.change(id, { label: 'second' });
    await wait(5000);
    expect([kept(), labels(), store.news, store.state]).toEqual([['second'], ['second'], null, 'saved']);
  });

  it('of one that was removed meanwhile leaves nothing behind', async () => {
    server.fault = () => 'lost';
    const id = store.add(content('first'));
    await wait();
    server.fault = null;
    store.remove(id);
    await wait(5000);
    expect([kept(), store.state]).toEqual([[], 'saved']);
  });
});

describe('a server that refuses', () => {
  it('is not asked again; the measurement stays on the page and says why', async () => {
    server.fault = () => problem(404, 'study_not_found');
    store.add(content('x'));
    await wait(60_000);
    expect(server.calls).toHaveLength(1);
    expect(store.all[0]).toMatchObject({ state: 'refused', problem: { code: 'study_not_found' } });
    expect(store.isUnsaved).toBe(true);
    server.fault = null;
    store.retry();
    await wait();
    expect([store.state, kept()]).toEqual(['saved', ['x']]);
  });
});

describe('another tab', () => {
  it('that was first is taken, and said', async () => {
    const id = store.add(content('mine'));
    await wait();
    server.put(id, { label: 'of the other tab' });
    store.change(id, { label: 'mine again' });
    await wait();
    expect(labels()).toEqual(['of the other tab']);
    expect(store.news).toEqual({ what: 'changed', label: 'of the other tab' });
    expect([store.state, store.canUndo]).toEqual(['saved', false]);
    store.change(id, { label: 'third' });
    await wait();
    expect(kept()).toEqual(['third']);
  });

  it('that deleted it is followed, and said', async () => {
    const id = store.add(content('mine'));
    await wait();
    server.rows.delete(id);
    store.change(id, { label: 'mine again' });
    await wait();
    expect(labels()).toEqual([]);
    expect(store.news).toEqual({ what: 'deleted', label: 'mine again' });
    expect([store.state, kept()]).toEqual(['saved', []]);
  });

  it('is seen when the page is asked for again', async () => {
    const stop = store.listen();
    await store.load('1.2.3');
    const first = store.add(content('first'));
    await wait();
    server.put('other', { ...server.rows.get(first), label: 'of the other tab' });
    window.dispatchEvent(new Event('focus'));
    await wait(10);
    expect(labels()).toEqual(['first', 'of the other tab']);
    server.rows.delete(first);
    window.dispatchEvent(new Event('focus'));
    await wait(10);
    expect(labels()).toEqual(['of the other tab']);
    stop();
  });

  it('does not take back what is just being changed', async () => {
    const id = store.add(content('first'));
    await wait();
    store.change(id, { label: 'second' });
    await store.load('1.2.3');
    expect(labels()).toEqual(['second']);
  });
});

describe('leaving the page', () => {
  const leave = () => {
    const event = new Event('beforeunload', { cancelable: true });
    window.dispatchEvent(event);
    return event.defaultPrevented;
  };

  it('warns while something is not saved', async () => {
    const stop = store.listen();
    expect(leave()).toBe(false);
    store.add(content());
    expect(leave()).toBe(true);
    await wait();
    expect(leave()).toBe(false);
    stop();
  });
});

it('is never saved as somebody else’s', async () => {
  store.add(content('of anna'));
  user = null;
  await wait(60_000);
  user = 'bert';
  await wait(60_000);
  expect([server.calls, store.state]).toEqual([[], 'waiting']);
  user = 'anna';
  store.retry();
  await wait();
  expect(kept()).toEqual(['of anna']);
});

it('leaves nothing on the page when it is cleared', async () => {
  store.add(content('x'));
  store.clear();
  await wait();
  expect([store.all, store.selectedId, server.calls]).toEqual([[], null, []]);
});
