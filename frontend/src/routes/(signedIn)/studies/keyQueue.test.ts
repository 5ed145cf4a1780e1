import { expect, test } from 'vitest';
import { KeyQueue } from './keyQueue';

const key = (name: string) => ({ key: name }) as KeyboardEvent;
const settle = () => new Promise((later) => setTimeout(later));

test('a key acts at once', () => {
  const done: string[] = [];
  const queue = new KeyQueue(
    (event) => done.push(event.key),
    () => false,
  );
  queue.push(key('ArrowDown'));
  expect(done).toEqual(['ArrowDown']);
});

test('keys wait for the one before, in their order', async () => {
  const done: string[] = [];
  let finish = () => {};
  const queue = new KeyQueue(
    ({ key: name }) => {
      done.push(name);
      return new Promise<void>((resolve) => (finish = resolve));
    },
    () => false,
  );
  for (const name of ['a', 'b', 'c']) queue.push(key(name));
  expect(done).toEqual(['a']);
  finish();
  await settle();
  expect(done).toEqual(['a', 'b']);
  finish();
  await settle();
  expect(done).toEqual(['a', 'b', 'c']);
});

test('keys wait while rows are on their way, also those that a key before has asked for', async () => {
  const done: string[] = [];
  let isBusy = true;
  const queue = new KeyQueue(
    ({ key: name }) => {
      done.push(name);
      if (name === 'turn') isBusy = true;
    },
    () => isBusy,
  );
  for (const name of ['turn', 'down', 'down']) queue.push(key(name));
  expect(done).toEqual([]);
  isBusy = false;
  await queue.goOn();
  expect(done).toEqual(['turn']);
  isBusy = false;
  await queue.goOn();
  expect(done).toEqual(['turn', 'down', 'down']);
});

test('keys act again after one that failed', async () => {
  const done: string[] = [];
  const queue = new KeyQueue(
    ({ key: name }) => {
      done.push(name);
      return name === 'bad' ? Promise.reject(new Error('bad')) : undefined;
    },
    () => done.length === 0,
  );
  queue.push(key('bad'));
  queue.push(key('good'));
  done.push('begun');
  await expect(queue.goOn()).rejects.toThrow('bad');
  await queue.goOn();
  expect(done).toEqual(['begun', 'bad', 'good']);
});

test('keys that wait can be forgotten', async () => {
  const done: string[] = [];
  let isBusy = true;
  const queue = new KeyQueue(
    (event) => done.push(event.key),
    () => isBusy,
  );
  queue.push(key('Enter'));
  queue.clear();
  isBusy = false;
  queue.push(key('down'));
  await settle();
  expect(done).toEqual(['down']);
});
