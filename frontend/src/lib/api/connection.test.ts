import { describe, expect, it } from 'vitest';
import { apiOrigin } from './config';
import { sharesSite } from './connection';

describe('apiOrigin', () => {
  const page = { protocol: 'http:', hostname: 'ct-room-2' };

  it('is the page’s own host name where no address is set', () => {
    expect(apiOrigin({ apiUrl: '', apiPort: 8000 }, page)).toBe('http://ct-room-2:8000');
  });

  it('is the set address otherwise', () => {
    expect(apiOrigin({ apiUrl: 'https://api.example.org', apiPort: 8000 }, page)).toBe(
      'https://api.example.org',
    );
  });
});

describe('sharesSite', () => {
  it.each([
    ['localhost', 'localhost', true],
    ['localhost', '127.0.0.1', false],
    ['192.168.1.5', '192.168.2.5', false],
    ['ct-room-2', 'ct-room-3', false],
    ['images.example.org', 'api.example.org', true],
    ['images.example.org', 'api.example.com', false],
    ['[::1]', 'localhost', false],
    ['a.co.uk', 'b.co.uk', false],
    ['images.a.co.uk', 'api.a.co.uk', true],
    ['images.clinic.nhs.uk', 'api.other.nhs.uk', false],
    ['images.co.example', 'api.co.example', true],
    ['Images.Example.org', 'api.example.org.', true],
  ])('%s and %s: %s', (page, api, shared) => {
    expect(sharesSite(page, api)).toBe(shared);
  });
});
