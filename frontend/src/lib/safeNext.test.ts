import { describe, expect, it } from 'vitest';
import { logInAddress, safeNext } from './safeNext';

const ORIGIN = 'http://localhost:3000';

describe('safeNext', () => {
  it('keeps a page of this site with its query', () => {
    expect(safeNext('/dashboard?series=1.2.3', ORIGIN)).toBe('/dashboard?series=1.2.3');
  });

  it.each([
    null,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    'dashboard',
    '/login?next=/login',
    '/',
  ])('leads to the dashboard instead of %j', (next) => {
    expect(safeNext(next, ORIGIN)).toBe('/dashboard');
  });
});

describe('logInAddress', () => {
  it('leads back', () => {
    const address = logInAddress(new URL('/dashboard?series=1.2.3', ORIGIN));
    expect(address).toBe('/login?next=%2Fdashboard%3Fseries%3D1.2.3');
    expect(safeNext(new URL(address, ORIGIN).searchParams.get('next'), ORIGIN)).toBe(
      '/dashboard?series=1.2.3',
    );
  });

  it('is plain where log-in leads there anyway', () => {
    expect(logInAddress(new URL('/dashboard', ORIGIN))).toBe('/login');
  });
});
