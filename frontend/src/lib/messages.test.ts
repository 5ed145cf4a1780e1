import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionError, ProblemError, UnexpectedAnswerError } from './api/problem';
import { describeReading, explainError } from './messages';

const problem = (status: number, code: string, detail = 'What is wrong.', retryAfter: number | null = null) =>
  new ProblemError(status, code, 'Title', detail, 'abc', retryAfter);

beforeEach(() => vi.stubGlobal('location', { origin: 'http://localhost:3000' }));

describe('explainError', () => {
  // Every code that the server can answer with stands in its documents.
  const codes = [...readFileSync('../docs/problems.md', 'utf8').matchAll(/`([a-z_]+)`/g)].map(
    ([, code]) => code ?? '',
  );

  it('finds the codes in the documents', () => {
    expect(codes).toContain('undecodable_frame');
  });

  it.each([...new Set(codes)])('has a sentence for %s', (code) => {
    const { text, hint } = explainError(problem(400, code));
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(`${text} ${hint ?? ''}`).not.toMatch(/undefined|null|NaN/);
  });

  it('passes on what the server says about this very slice', () => {
    const detail = 'Slice 3 of 5 cannot be shown: its pixel data is cut off.';
    expect(explainError(problem(422, 'undecodable_frame', detail)).text).toBe(detail);
  });

  it.each([
    [1, 'Try again in 1 second.'],
    [45, 'Try again in 45 seconds.'],
    [600, 'Try again in 10 minutes.'],
    [null, 'Try again later.'],
  ])('says how long to wait: %s s', (seconds, hint) => {
    expect(explainError(problem(429, 'too_many_attempts', '', seconds)).hint).toBe(hint);
  });

  it('gives a number to look up only where the server failed', () => {
    expect(explainError(problem(500, 'internal')).requestId).toBe('abc');
    expect(explainError(problem(401, 'invalid_credentials')).requestId).toBeNull();
  });

  it('names the setting where the server refuses the origin', () => {
    const { text, hint } = explainError(new ConnectionError('refused-origin', 'http://localhost:8000'));
    expect(text).toContain('http://localhost:3000');
    expect(hint).toContain('IMAGESERVER_CORS_ORIGINS');
  });

  it.each(['offline', 'unreachable', 'interrupted', 'timeout'] as const)('has a way on when %s', (kind) => {
    expect(explainError(new ConnectionError(kind, 'http://a')).hint).toMatch(/try again|Try again/);
  });

  it.each(['web-page', 'not-json', 'not-image', 'damaged-image', 'gateway'] as const)(
    'has a sentence for %s',
    (kind) => {
      expect(explainError(new UnexpectedAnswerError(kind, 502)).text).toMatch(/\.$/);
    },
  );

  it('does not show what a programming mistake says', () => {
    expect(explainError(new TypeError('x is undefined')).text).toBe('Something in this page went wrong.');
  });
});

describe('describeReading', () => {
  const reading = (seen: number, pending: number, remaining: number | null = null) =>
    describeReading({
      state: 'building',
      seen,
      indexed: 0,
      refused: 0,
      pending,
      remaining_seconds: remaining,
    });

  it('counts files as far as they are known', () => {
    expect(reading(0, 0)).toBe('Reading the data directory.');
    expect(reading(1, 1)).toBe('Reading the data directory: 0 of 1 file.');
  });

  it.each([
    [1, 'About 1 second left.'],
    [89, 'About 89 seconds left.'],
    [90, 'About 2 minutes left.'],
    [5400, 'About 2 hours left.'],
  ])('says how much longer reading takes: %s s', (seconds, sentence) => {
    expect(reading(10, 4, seconds)).toBe(`Reading the data directory: 6 of 10 files. ${sentence}`);
  });
});
