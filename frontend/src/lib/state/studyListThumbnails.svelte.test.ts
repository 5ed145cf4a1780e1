// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { readThumbnail } from '$lib/api/thumbnails';
import { Thumbnails } from './studyListThumbnails.svelte';

vi.mock('$lib/api/thumbnails');

const settled = () => new Promise((later) => setTimeout(later));
const revoke = vi.fn();
let thumbnails: Thumbnails;

beforeEach(() => {
  vi.mocked(readThumbnail).mockReset();
  let made = 0;
  URL.createObjectURL = () => `blob:${(made += 1)}`;
  URL.revokeObjectURL = revoke;
  revoke.mockReset();
  thumbnails = new Thumbnails();
});

describe('Thumbnails', () => {
  it('fetches a few at a time, and nothing that went out of sight before its turn', async () => {
    const answers: ((blob: Blob) => void)[] = [];
    vi.mocked(readThumbnail).mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
    const [, , , , unwantFifth] = ['1', '2', '3', '4', '5', '6'].map((address) => thumbnails.want(address));
    expect(readThumbnail).toHaveBeenCalledTimes(4);
    unwantFifth?.();
    answers[0]?.(new Blob());
    await settled();
    expect(vi.mocked(readThumbnail).mock.calls.map(([address]) => address)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '6',
    ]);
  });

  it('fetches a picture once, however many rows show it', async () => {
    vi.mocked(readThumbnail).mockResolvedValue(new Blob());
    thumbnails.want('a')();
    thumbnails.want('a');
    await settled();
    thumbnails.want('a');
    expect(readThumbnail).toHaveBeenCalledTimes(1);
    expect(thumbnails.get('a')).toEqual({ url: 'blob:1' });
  });

  it('keeps why one is missing, and tries again when asked', async () => {
    const error = new Error('no');
    vi.mocked(readThumbnail).mockRejectedValueOnce(error);
    thumbnails.want('a');
    await settled();
    expect(thumbnails.get('a')).toEqual({ error });
    vi.mocked(readThumbnail).mockResolvedValueOnce(new Blob());
    thumbnails.retry();
    await settled();
    expect(thumbnails.get('a')).toEqual({ url: 'blob:1' });
  });

  it('gives all of them back with the page, those on their way too', async () => {
    vi.mocked(readThumbnail).mockResolvedValueOnce(new Blob());
    thumbnails.want('a');
    await settled();
    let answer: (blob: Blob) => void = () => {};
    vi.mocked(readThumbnail).mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    thumbnails.want('b');
    thumbnails.destroy();
    answer(new Blob());
    await settled();
    expect(revoke.mock.calls).toEqual([['blob:1']]);
    expect(thumbnails.get('b')).toBeUndefined();
  });
});
